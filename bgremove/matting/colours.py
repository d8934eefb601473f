"""The colours of a cut-out, unmixed from the background unless the picture is cut out already."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.foreground import estimate_foreground

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, DecodedImage, ImageU8

HIDDEN_REACH = 16  # of the longer side: how far the hidden colours of transparent pixels may spread
HIDDEN_SIDE = 512  # px: the distance is measured at this size; at full size it costs seconds


def free_colours(image: DecodedImage, matte: ArrayF32) -> ImageU8:
    """Return BGR uint8 (H, W, 3) whose edge is unmixed; ``matte`` is float32 (H, W) in [0, 1].

    Pixels that are transparent in the picture itself are unmixed already and stay as they are. So
    do pixels near them: colours hidden under transparency would pass for a background.
    """
    bgr = estimate_foreground(image.bgr, matte)
    if image.alpha is not None:
        cv2.copyTo(image.bgr, _near_transparency(image.alpha), bgr)
    return bgr


def _near_transparency(alpha: ArrayF32) -> ImageU8:
    """Mark pixels within HIDDEN_REACH of a pixel that is not opaque, found at reduced size."""
    hidden = np.asarray(alpha < 1, np.uint8)
    while max(hidden.shape) > HIDDEN_SIDE:
        hidden = cv2.dilate(hidden, np.ones((3, 3), np.uint8))[::2, ::2]  # type: ignore[assignment]
    side = 2 * (max(hidden.shape) // HIDDEN_REACH) + 3
    near = cv2.dilate(hidden, np.ones((side, side), np.uint8))
    size = (alpha.shape[1], alpha.shape[0])
    return np.asarray(cv2.resize(near, size, interpolation=cv2.INTER_NEAREST), np.uint8)
