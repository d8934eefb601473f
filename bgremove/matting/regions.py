"""Boxes in parts of a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Box: TypeAlias = "NDArray[np.float32]"  # (4,): top, left, bottom, right, in parts of the picture
Boxes: TypeAlias = "NDArray[np.float32]"  # (N, 4)


def pixels(box: Box, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns that a box covers in a picture of ``size`` (width, height)."""
    width, height = size
    top, left, bottom, right = np.round(box * np.array([height, width, height, width])).astype(int)
    top, left = max(0, min(top, height - 1)), max(0, min(left, width - 1))
    return slice(top, max(top + 1, bottom)), slice(left, max(left + 1, right))


def cells(box: Box, side: int) -> tuple[slice, slice]:
    """Return the rows and columns that a box covers in a map of ``side`` cells."""
    return pixels(box, (side, side))


def grown(box: Box, factor: float) -> Box:
    """Enlarge a box about its centre, as far as the picture goes."""
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * factor
    return np.asarray(np.concatenate([centre - half, centre + half]).clip(0, 1), np.float32)
