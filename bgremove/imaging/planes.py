"""A decoded picture on its way from one process to the other, through memory that both see."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from bgremove.datatypes import DecodedImage, ImageHeader
from bgremove.memory_file import mapped

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, ImageU8


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """A decoded picture, upright: ``bgr`` uint8 (H, W, 3) and ``alpha`` uint8 (H, W) or None."""

    bgr: ImageU8
    alpha: ImageU8 | None
    carries_profile: bool
    warnings: tuple[str, ...]


def finished(planes: Planes, header: ImageHeader) -> DecodedImage:
    """Make the record of a decoded picture: alpha becomes float32 [0, 1]."""
    alpha: ArrayF32 | None = None
    if planes.alpha is not None:
        alpha = np.multiply(planes.alpha, np.float32(1 / 255), dtype=np.float32)
    profile = header.icc_profile if planes.carries_profile else None
    return DecodedImage(planes.bgr, alpha, profile, planes.warnings)


def write_planes(file: int, planes: Planes) -> None:
    """Write the pixels, colours first, to a memory file.

    Writing is twice as fast as copying into a mapping, which faults on each of its pages.
    """
    at = 0
    for plane in (planes.bgr, planes.alpha):
        rest = memoryview(b"" if plane is None else plane.data).cast("B")
        while rest:
            count = os.pwrite(file, rest, at)
            at, rest = at + count, rest[count:]


def map_planes(
    file: int, header: ImageHeader, *, has_alpha: bool
) -> tuple[ImageU8, ImageU8 | None]:
    """Map what `write_planes` wrote to a sealed file, without a copy.

    The mapping lives as long as the arrays. What is written to them is seen by nobody else.
    """
    width, height = header.decoded_size
    pixels = width * height
    colours = 3 * pixels
    flat = np.frombuffer(mapped(file, colours + pixels * has_alpha), np.uint8)
    bgr = flat[:colours].reshape(height, width, 3)
    return bgr, flat[colours:].reshape(height, width) if has_alpha else None
