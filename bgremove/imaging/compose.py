"""Compose a cutout as a transparent picture, on a ground, or as a mask.

Each function composes a range of rows. The encoder composes strips as it needs them, so a canvas
of the full size is never held in memory.
"""

from __future__ import annotations

import math
from dataclasses import replace

import cv2
import numpy as np

from bgremove.datatypes import MASK_THRESHOLD, ArrayF32, Cutout, ImageU8
from bgremove.imaging.layer import REACH, Layer, lay_on, spread, window
from bgremove.imaging.placement import Placement
from bgremove.options import Colour

SAMPLE = 16  # px between the pixels checked first; they suffice for nearly every coloured picture
# Pixels resized at a time. Without this limit, 16 rows of output can need the whole picture.
WINDOW_PIXELS = 1 << 21
SUPPORT_SMALLER, SUPPORT_LARGER = 1, 2  # px to each side, in the coarser of the two grids


def transparent(cutout: Cutout, placement: Placement, top: int, end: int) -> ImageU8:
    """Return rows of a cutout as BGRA uint8 (rows, width, 4) with straight alpha.

    Transparent pixels near the subject have its nearest colour, even when the subject lies in
    another strip or just outside the window.
    """
    wide = replace(
        placement,
        left=placement.left - REACH / placement.scale,
        top=placement.top - REACH / placement.scale,
        width=placement.width + 2 * REACH,
        height=placement.height + 2 * REACH,
    )
    layer = spread(_layer(cutout, wide, top, end + 2 * REACH))
    inside = slice(REACH, -REACH)
    return Layer(layer.bgr[inside, inside], layer.alpha[inside, inside]).straight()


def on_ground(cutout: Cutout, placement: Placement, ground: Colour, top: int, end: int) -> ImageU8:
    """Return rows of a cutout composited on a ground, BGR uint8 (rows, width, 3)."""
    return lay_on(_layer(cutout, placement, top, end), ground)


def binary_mask(alpha: ArrayF32) -> ImageU8:
    """Threshold alpha, float32 (H, W) in [0, 1], to uint8 (H, W) of 0 and 255 only."""
    return np.where(alpha >= MASK_THRESHOLD, np.uint8(255), np.uint8(0))


def is_gray(bgr: ImageU8) -> bool:
    """Return whether the three channels of uint8 (H, W, 3) are equal everywhere."""
    sample = bgr[::SAMPLE, ::SAMPLE]
    if not (sample == sample[..., :1]).all():
        return False
    blue, green, red = cv2.split(bgr)
    return np.array_equal(blue, green) and np.array_equal(green, red)


def _layer(cutout: Cutout, placement: Placement, top: int, end: int) -> Layer:
    if placement.scale != 1:
        return _resampled(cutout, placement, top, end)
    left, above = round(placement.left), round(placement.top)
    return window(cutout, left, above + top, placement.width, end - top)


def _resampled(cutout: Cutout, placement: Placement, top: int, end: int) -> Layer:
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
