"""Detection of pictures that are cut out already, whose own alpha is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

CLEAR_SHARE = 0.01  # of the picture that is transparent: rounded corners alone have less
FILLED = 0.985  # of its box: a larger share is a rectangle, perhaps a whole picture
FAINT = np.float32(8.5 / 255)  # of alpha: less is the noise that editors leave in the background
FLOATING = 0.1  # of the picture: a rectangle within so wide a transparent margin is cut out


def is_cut_out(alpha: ArrayF32) -> bool:
    """Return whether a picture's own alpha is that of a cut-out.

    A part of a cut-out is transparent, and the rest either does not fill its box, or has a wide
    margin on all four sides. A picture between two bands is not cut out.

    Args:
        alpha: float32 (H, W) in [0, 1], the alpha channel of the picture.
    """
    seen = (alpha > FAINT).view(np.uint8)
    left, top, width, height = cv2.boundingRect(seen)
    count = cv2.countNonZero(seen)
    if not count or count > (1 - CLEAR_SHARE) * seen.size:
        return False
    if count < FILLED * width * height:
        return True
    inside = min(left, top, seen.shape[1] - left - width, seen.shape[0] - top - height) > 0
    return inside and width * height <= (1 - FLOATING) * seen.size
