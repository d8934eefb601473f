"""Compose a cutout as a transparent picture, on a ground, or as a mask.

Each function composes a range of rows. The encoder composes strips as it needs them, so a canvas
of the full size is never held in memory.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from bgremove.datatypes import MASK_THRESHOLD, ArrayF32, Cutout, ImageU8
from bgremove.imaging.layer import REACH, Layer, lay_on, spread, window
from bgremove.imaging.placement import Placement
from bgremove.imaging.resample import resampled
from bgremove.options import Colour

SAMPLE = 16  # px between the pixels checked first; they suffice for nearly every coloured picture


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
        return resampled(cutout, placement, top, end)
    left, above = round(placement.left), round(placement.top)
    return window(cutout, left, above + top, placement.width, end - top)
