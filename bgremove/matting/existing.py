"""Detection of pictures that are cut out already, whose own alpha is the answer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

CLEAR_SHARE = 0.01  # of the picture that is fully transparent: rounded corners alone have less
FILLED = 0.985  # of its box: a larger share is a whole picture with a transparent margin
STEP = np.float32(0.5 / 255)  # of alpha in 8 bits


def is_cut_out(alpha: ArrayF32) -> bool:
    """Return whether a picture's own alpha is that of a cut-out.

    A part of a cut-out is fully transparent, and the rest does not fill its box.

    Args:
        alpha: float32 (H, W) in [0, 1], the alpha channel of the picture.
    """
    seen = (alpha > STEP).view(np.uint8)
    width, height = cv2.boundingRect(seen)[2:]
    count = cv2.countNonZero(seen)
    if not count or count > (1 - CLEAR_SHARE) * seen.size:
        return False
    return count < FILLED * width * height
