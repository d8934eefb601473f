"""Cutout to canvas: transparent, on white, as a mask, cropped.

Each takes a part of the cutout and gives that part of the canvas, so that a strip can be composed
where it is encoded and no canvas of the full size need exist.
"""

from __future__ import annotations

import cv2
import numpy as np

from bgremove.datatypes import MASK_THRESHOLD, ArrayF32, Box, Cutout, ImageU8

STRIP_PIXELS = 1 << 20  # composed at a time by `on_white`, so that its copies stay near 7 MB


def alpha_to_u8(alpha: ArrayF32) -> ImageU8:
    """Round alpha, float32 (H, W) in [0, 1], to uint8 (H, W) in [0, 255]."""
    return np.asarray(cv2.convertScaleAbs(alpha, alpha=255.0), dtype=np.uint8)


def transparent(bgr: ImageU8, alpha: ArrayF32) -> ImageU8:
    """Return a cutout as BGRA uint8 (H, W, 4), straight, black where alpha is zero.

    ``bgr``: uint8 (H, W, 3). ``alpha``: float32 (H, W) in [0, 1].
    """
    alpha_u8 = alpha_to_u8(alpha)
    visible = cv2.copyTo(bgr, alpha_u8)  # what hides under zero alpha would only cost bytes
    canvas = np.empty((*alpha_u8.shape, 4), np.uint8)
    cv2.mixChannels([visible, alpha_u8], [canvas], [0, 0, 1, 1, 2, 2, 3, 3])
    return canvas


def on_white(bgr: ImageU8, alpha: ArrayF32) -> ImageU8:
    """Lay a cutout on white; returns BGR uint8 (H, W, 3).

    Alpha goes through the 8 bits that `transparent` has, so both formats agree, and what is zero
    there is exactly (255, 255, 255) here.
    """
    canvas = np.empty_like(bgr)
    height, width = alpha.shape
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = slice(top, top + rows)
        ink = cv2.bitwise_not(bgr[strip])  # how much darker than white
        weight = cv2.merge([alpha_to_u8(alpha[strip])] * 3)
        cv2.bitwise_not(cv2.multiply(ink, weight, scale=1 / 255), dst=canvas[strip])
    return canvas


def binary_mask(alpha: ArrayF32) -> ImageU8:
    """Threshold alpha, float32 (H, W) in [0, 1], to uint8 (H, W) of 0 and 255 only."""
    return np.where(alpha >= MASK_THRESHOLD, np.uint8(255), np.uint8(0))


def crop(cutout: Cutout) -> Cutout:
    """Return the part of a cutout that lies in its box: views, no copies."""
    box = cutout.box
    rows, columns = slice(box.top, box.top + box.height), slice(box.left, box.left + box.width)
    inside = Box(0, 0, box.width, box.height)
    return Cutout(
        cutout.bgr[rows, columns], cutout.alpha[rows, columns], inside, cutout.icc_profile
    )
