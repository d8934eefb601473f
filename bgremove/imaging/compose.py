"""Cutout to canvas: transparent, on white, as a mask, cropped."""

from __future__ import annotations

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, Box, Cutout, ImageU8

MASK_THRESHOLD = 0.5  # of alpha; nothing else measures better on the evaluation pictures
STRIP_PIXELS = 1 << 20  # worked on at a time, so that float copies stay near 12 MB


def alpha_to_u8(alpha: ArrayF32) -> ImageU8:
    """Round alpha, float32 (H, W) in [0, 1], to uint8 (H, W) in [0, 255]."""
    return np.asarray(cv2.convertScaleAbs(alpha, alpha=255.0), dtype=np.uint8)


def transparent(cutout: Cutout) -> ImageU8:
    """Return the cutout as BGRA uint8 (H, W, 4), straight, black where alpha is zero."""
    alpha_u8 = alpha_to_u8(cutout.alpha)
    canvas = np.empty((*alpha_u8.shape, 4), np.uint8)
    cv2.mixChannels([cutout.bgr, alpha_u8], [canvas], [0, 0, 1, 1, 2, 2, 3, 3])
    canvas[alpha_u8 == 0] = 0
    return canvas


def on_white(cutout: Cutout) -> ImageU8:
    """Lay the cutout on white; returns BGR uint8 (H, W, 3).

    Alpha goes through the 8 bits that ``transparent`` has, so both formats agree, and what is zero
    there is exactly (255, 255, 255) here.
    """
    alpha_u8 = alpha_to_u8(cutout.alpha)
    canvas = np.empty_like(cutout.bgr)
    height, width = alpha_u8.shape
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        strip = slice(top, top + rows)
        ink = cv2.bitwise_not(cutout.bgr[strip])  # how much darker than white
        weight = cv2.merge([alpha_u8[strip]] * 3)
        cv2.bitwise_not(cv2.multiply(ink, weight, scale=1 / 255), dst=canvas[strip])
    return canvas


def binary_mask(alpha: ArrayF32) -> ImageU8:
    """Threshold alpha, float32 (H, W) in [0, 1], to uint8 (H, W) of 0 and 255 only."""
    return np.where(alpha >= MASK_THRESHOLD, np.uint8(255), np.uint8(0))


def crop(canvas: ImageU8, box: Box) -> ImageU8:
    """Return the part of ``canvas``, uint8 (H, W, C), that lies in ``box``: a view, no copy."""
    return canvas[box.top : box.top + box.height, box.left : box.left + box.width]
