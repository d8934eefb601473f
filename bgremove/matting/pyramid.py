"""Resize pictures: by exact halves, whose pixel positions align, or to a given shape."""

from __future__ import annotations

from typing import TypeVar

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.tiles import Window

Pixels = TypeVar("Pixels", ImageU8, ArrayF32)


def halvings(side: int, limit: int) -> int:
    """Return the number of halvings that bring ``side`` pixels to at most ``limit``, over 0."""
    count = 0
    while side >> count > limit:
        count += 1
    return count


def shrink(pixels: Pixels, count: int) -> Pixels:
    """Halve a picture ``count`` times by the mean of 2 x 2 pixels.

    Args:
        pixels: uint8 or float32, (H, W) or (H, W, C).
        count: halvings; each drops an odd last row or column, but keeps a single one.

    Returns:
        The same type, (max(1, H >> count), max(1, W >> count)[, C]); the input for count 0.
    """
    for _ in range(count):
        height, width = pixels.shape[:2]
        half = (max(1, width // 2), max(1, height // 2))
        even = pixels[: max(1, height & ~1), : max(1, width & ~1)]
        # OpenCV has a fast path for the exact factor 2; any other costs ten times as much.
        pixels = cv2.resize(even, half, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
    return pixels


def averaged(plane: ArrayF32, shape: tuple[int, ...]) -> ArrayF32:
    """Resample a plane, float32 (h, w), to ``shape`` (rows, columns) by area averages."""
    return np.asarray(cv2.resize(plane, shape[1::-1], interpolation=cv2.INTER_AREA), np.float32)


def stretched(plane: ArrayF32, shape: tuple[int, ...]) -> ArrayF32:
    """Resample a plane, float32 (h, w), to ``shape`` (rows, columns) linearly."""
    return np.asarray(cv2.resize(plane, shape[1::-1], interpolation=cv2.INTER_LINEAR), np.float32)


def enlarge(plane: ArrayF32, window: Window, factor: int) -> ArrayF32:
    """Cut a window out of a plane enlarged ``factor`` times by linear interpolation.

    Args:
        plane: float32 (h, w).
        window: rows and columns of the large plane; beyond its end the last pixel repeats.
        factor: enlargement; 1 keeps the size.

    Returns:
        float32, the window's shape; a view when ``factor`` is 1.
    """
    if factor == 1:
        return plane[window]
    large = plane
    crops = []
    for axis, span in enumerate(window):
        first = span.start // factor - 1  # one more to each side, for the interpolation
        cells = np.arange(first, -(-span.stop // factor) + 1).clip(0, plane.shape[axis] - 1)
        large = large.take(cells, axis=axis)
        crops.append(slice(span.start - first * factor, span.stop - first * factor))
    large = cv2.resize(large, None, fx=factor, fy=factor, interpolation=cv2.INTER_LINEAR)  # type: ignore[assignment]
    return large[crops[0], crops[1]]
