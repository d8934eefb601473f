"""Draw a part of a cutout larger or smaller, on premultiplied alpha."""

from __future__ import annotations

import math

import numpy as np

from bgremove.datatypes import Cutout, ImageU8
from bgremove.imaging.layer import Layer, window
from bgremove.imaging.placement import Placement

# Pixels of the picture drawn at a time. A canvas of 16 rows would else take in the whole picture.
WINDOW_PIXELS = 1 << 21
SUPPORT_SMALLER, SUPPORT_LARGER = 1, 2  # px to each side, of the coarser of both grids


def resampled(cutout: Cutout, placement: Placement, top: int, end: int) -> Layer:
    """Draw rows ``top`` to ``end`` of an answer whose scale is not 1."""
    bgra: ImageU8 = np.zeros((end - top, placement.width, 4), np.uint8)
    height, width = cutout.alpha.shape
    first, last = _touched(placement.left, placement.scale, width, 0, placement.width)
    high, low = _touched(placement.top, placement.scale, height, top, end)
    if first < last:
        rows = max(1, int(WINDOW_PIXELS * placement.scale**2 / (last - first)))
        for row in range(high, low, rows):
            below = min(low, row + rows)
            bgra[row - top : below - top, first:last] = _drawn(
                cutout, placement, (row, below), (first, last)
            )
    return Layer(bgra[..., :3], bgra[..., 3])


def _touched(origin: float, scale: float, side: int, first: int, last: int) -> tuple[int, int]:
    """Return the answer's pixels from ``first`` to ``last`` that the picture's side reaches."""
    reach = max(scale, 1.0) * SUPPORT_LARGER
    start = math.floor(-origin * scale - reach)
    stop = math.ceil((side - origin) * scale + reach)
    return max(first, start), min(last, stop)


def _drawn(
    cutout: Cutout, placement: Placement, rows: tuple[int, int], columns: tuple[int, int]
) -> ImageU8:
    """Draw a rectangle of the answer: straight BGRA uint8 (rows, columns, 4).

    Neither filter draws a ring of faint alpha around the subject, as Lanczos does: Hamming weighs
    all pixels under one of the answer and never undershoots, and the cubic's undershoot outside an
    edge is cut at 0.
    """
    from PIL import Image  # here: most workers never need it, and it costs each of them memory

    scale = placement.scale
    method = Image.Resampling.HAMMING if scale < 1 else Image.Resampling.BICUBIC
    taps = SUPPORT_SMALLER if scale < 1 else SUPPORT_LARGER
    support = math.ceil(taps / min(scale, 1.0)) + 1
    left, right = (placement.left + column / scale for column in columns)
    top, bottom = (placement.top + row / scale for row in rows)
    x, y = math.floor(left) - support, math.floor(top) - support
    across, down = math.ceil(right) + support - x, math.ceil(bottom) + support - y
    # Pillow is indifferent to the order of colours. One pass each way, in this order: it chooses
    # the order by size, and where the cubic is cut at 0 the strips of an answer would not match.
    image = Image.fromarray(window(cutout, x, y, across, down).straight()).convert("RGBa")
    width, height = columns[1] - columns[0], rows[1] - rows[0]
    image = image.resize((width, down), method, (left - x, 0, right - x, down))
    image = image.resize((width, height), method, (0, top - y, width, bottom - y))
    return np.asarray(image.convert("RGBA"), np.uint8)
