"""The colours of a cut-out: freed from the background, save where it was cut out before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.foreground import estimate_foreground

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, DecodedImage, ImageU8

HIDDEN_REACH = 16  # of the longer side: how far from transparency its hidden colours may tell
HIDDEN_SIDE = 512  # px: on a larger picture that distance costs seconds


def free_colours(image: DecodedImage, matte: ArrayF32) -> ImageU8:
    """Return BGR uint8 (H, W, 3) whose edge is unmixed; ``matte`` is float32 (H, W) in [0, 1].

    Not where the picture itself is transparent: there it is unmixed already. Nor near that, where
    the colours hidden under its transparency would pass for a background.
    """
    bgr = estimate_foreground(image.bgr, matte)
    if image.alpha is not None:
        cv2.copyTo(image.bgr, _near_transparency(image.alpha), bgr)
    return bgr


def _near_transparency(alpha: ArrayF32) -> ImageU8:
    """Mark what is within HIDDEN_REACH of a pixel that is not opaque; found on a small picture."""
    hidden = np.asarray(alpha < 1, np.uint8)
    while max(hidden.shape) > HIDDEN_SIDE:
        hidden = cv2.dilate(hidden, np.ones((3, 3), np.uint8))[::2, ::2]  # type: ignore[assignment]
    side = 2 * (max(hidden.shape) // HIDDEN_REACH) + 3
    near = cv2.dilate(hidden, np.ones((side, side), np.uint8))
    size = (alpha.shape[1], alpha.shape[0])
    return np.asarray(cv2.resize(near, size, interpolation=cv2.INTER_NEAREST), np.uint8)
