"""Resize a part of a cutout with premultiplied alpha."""

from __future__ import annotations

import math

import numpy as np

from bgremove.datatypes import Cutout, ImageU8
from bgremove.imaging.layer import Layer, window
from bgremove.imaging.placement import Placement

# Pixels of the picture resized at a time. Without it, 16 rows of output can need the whole picture.
WINDOW_PIXELS = 1 << 21
SUPPORT_SMALLER, SUPPORT_LARGER = 1, 2  # px to each side, in the coarser of the two grids


def resampled(cutout: Cutout, placement: Placement, top: int, end: int) -> Layer:
    """Resample rows ``top`` to ``end`` of an output whose scale is not 1."""
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
    """Return the range of output pixels within ``first`` to ``last`` that the picture reaches."""
    reach = max(scale, 1.0) * SUPPORT_LARGER
    start = math.floor(-origin * scale - reach)
    stop = math.ceil((side - origin) * scale + reach)
    return max(first, start), min(last, stop)


def _drawn(
    cutout: Cutout, placement: Placement, rows: tuple[int, int], columns: tuple[int, int]
) -> ImageU8:
    """Resample a rectangle of the output: straight BGRA uint8 (rows, columns, 4).

    Lanczos would draw a ring of faint alpha around the subject; these two filters do not. Hamming
    averages all pixels under an output pixel and never undershoots. The cubic filter undershoots
    outside an edge, where it is clipped to 0.
    """
    from PIL import Image  # imported on demand: most workers never need its memory

    scale = placement.scale
    method = Image.Resampling.HAMMING if scale < 1 else Image.Resampling.BICUBIC
    taps = SUPPORT_SMALLER if scale < 1 else SUPPORT_LARGER
    support = math.ceil(taps / min(scale, 1.0)) + 1
    left, right = (placement.left + column / scale for column in columns)
    top, bottom = (placement.top + row / scale for row in rows)
    x, y = math.floor(left) - support, math.floor(top) - support
    across, down = math.ceil(right) + support - x, math.ceil(bottom) + support - y
    # The order of the colour channels does not matter to Pillow. The two axes are resized in
    # separate passes, because Pillow would choose their order by size. With the cubic clipped to 0
    # the strips of an output would then not match.
    image = Image.fromarray(window(cutout, x, y, across, down).straight()).convert("RGBa")
    width, height = columns[1] - columns[0], rows[1] - rows[0]
    image = image.resize((width, down), method, (left - x, 0, right - x, down))
    image = image.resize((width, height), method, (0, top - y, width, bottom - y))
    return np.asarray(image.convert("RGBA"), np.uint8)
