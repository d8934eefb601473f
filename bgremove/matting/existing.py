"""Pictures that are cut out already: their own alpha is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

CLEAR_SHARE = 0.01  # of the picture that is wholly transparent: rounded corners alone have less
FILLED = 0.985  # of its box: what fills more is a whole picture with a transparent margin
STEP = np.float32(0.5 / 255)  # of alpha in 8 bits


def is_cut_out(alpha: ArrayF32) -> bool:
    """Return whether a picture's own alpha is that of a cut-out.

    A part of it is wholly transparent, and what is left has an outline of its own.

    Args:
        alpha: float32 (H, W) in [0, 1], the transparency that the picture came with.
    """
    seen = (alpha > STEP).view(np.uint8)
    width, height = cv2.boundingRect(seen)[2:]
    count = cv2.countNonZero(seen)
    if not count or count > (1 - CLEAR_SHARE) * seen.size:
        return False
    return count < FILLED * width * height
