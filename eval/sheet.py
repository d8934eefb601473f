"""The contact sheet: source, cut-out on magenta, and error against the true alpha."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, ImageU8

SIDE = 220  # px: the longest side of a small picture
COLUMNS = 4  # samples in a row
MAGENTA = (255, 0, 255)


def thumbnail(bgr: ImageU8, alpha: ArrayF32, truth: ArrayF32, caption: str) -> ImageU8:
    """Draw one sample: uint8 (SIDE + 16, 3 * SIDE, 3)."""
    scale = SIDE / max(bgr.shape[:2])
    size = (max(1, round(bgr.shape[1] * scale)), max(1, round(bgr.shape[0] * scale)))
    small = cv2.resize(bgr, size, interpolation=cv2.INTER_AREA)
    share = cv2.resize(alpha, size, interpolation=cv2.INTER_AREA)[..., None]
    real = cv2.resize(truth, size, interpolation=cv2.INTER_AREA)[..., None]
    cutout = small * share + np.array(MAGENTA) * (1 - share)
    missed, extra = np.maximum(real - share, 0), np.maximum(share - real, 0)
    faults = np.concatenate((extra * 0, extra, missed), axis=2) * 255  # green: extra, red: missed
    canvas = np.zeros((SIDE + 16, 3 * SIDE, 3), np.uint8)
    for index, picture in enumerate((small, cutout, faults)):
        left = index * SIDE
        canvas[16 : 16 + size[1], left : left + size[0]] = picture.astype(np.uint8)
    cv2.putText(canvas, caption, (2, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255))
    return canvas


def contact_sheet(thumbnails: list[ImageU8]) -> ImageU8:
    """Lay thumbnails out in rows of COLUMNS."""
    blank = np.zeros_like(thumbnails[0])
    padded = thumbnails + [blank] * (-len(thumbnails) % COLUMNS)
    rows = [np.hstack(padded[i : i + COLUMNS]) for i in range(0, len(padded), COLUMNS)]
    return np.vstack(rows)
