"""Pages of text: many small pieces in rows, without a subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.ink import square

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

PIECES = 60  # a word or a mark has fewer
SMALL = 0.06  # of the shorter side: the height of most pieces on a page
LARGEST = 0.1  # of all ink: a larger piece is not text
SPREAD = 0.5  # of the box around all pieces that lines of text cover


def is_page(alpha: ArrayF32) -> bool:
    """Return whether the ink of a picture is a page of text.

    Args:
        alpha: float32 (H, W) in [0, 1].
    """
    ink = (alpha >= 0.5).view(np.uint8)
    count, _, stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if count <= PIECES or areas.max() > LARGEST * areas.sum():
        return False
    height = float(np.median(stats[1:, cv2.CC_STAT_HEIGHT]))
    if height > SMALL * min(alpha.shape):
        return False
    left, top, width, tall = cv2.boundingRect(ink)
    side = 2 * round(height) + 1
    lines = cv2.dilate(ink[top : top + tall, left : left + width], square(side))
    return cv2.countNonZero(lines) >= SPREAD * width * tall
