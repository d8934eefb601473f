"""Transfer of a decoded picture between processes through shared memory."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np

from bgremove.datatypes import ArrayF32, DecodedImage, ImageHeader, ImageU8
from bgremove.memory import mapped


@dataclass(frozen=True, slots=True, eq=False)
class Planes:
    """An upright decoded picture: ``bgr`` uint8 (H, W, 3), ``alpha`` uint8 (H, W) or None."""

    bgr: ImageU8
    alpha: ImageU8 | None
    carries_profile: bool
    warnings: tuple[str, ...]


def finished(planes: Planes, header: ImageHeader) -> DecodedImage:
    """Build the record of a decoded picture, with alpha as float32 in [0, 1]."""
    alpha: ArrayF32 | None = None
    if planes.alpha is not None:
        alpha = np.multiply(planes.alpha, np.float32(1 / 255), dtype=np.float32)
    profile = header.icc_profile if planes.carries_profile else None
    return DecodedImage(planes.bgr, alpha, profile, planes.warnings)


def write_planes(file: int, planes: Planes) -> None:
    """Write the pixels, colours first, to a memory file.

    A write is twice as fast as a copy into a mapping, which causes a fault on each page.
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
    """Map the pixels written by `write_planes` to a sealed file, without a copy.

    The mapping lives as long as the arrays. Writes to the arrays are private to this process.
    """
    width, height = header.decoded_size
    pixels = width * height
    colours = 3 * pixels
    flat = np.frombuffer(mapped(file, colours + pixels * has_alpha), np.uint8)
    bgr = flat[:colours].reshape(height, width, 3)
    return bgr, flat[colours:].reshape(height, width) if has_alpha else None
