"""Subjects without holes: doubt about an edge is kept, doubt within the subject is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

DOUBT = 128  # of 255: saliency that is lifted from here ...
CERTAIN = 204  # ... and wholly from here: one step would draw its own outline on a cloudy map
MARGIN = 0.015  # of the map's side: how far from anything less salient the inside begins
EDGE = cv2.BORDER_REPLICATE


def fill_inside(saliency: ArrayF32) -> ArrayF32:
    """Lift what is well inside the subject towards certainty, so that it shows no background.

    Real holes are as dark as the background and stay; so do edges and hair, which are near it.

    :param saliency: float32 (S, S) in [0, 1].
    :return: float32 (S, S) in [0, 1], nowhere lower.
    """
    reach = max(1, round(MARGIN * max(saliency.shape)))
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    # In 8 bits, where OpenCV is several times as fast and cuts off at 255 by itself.
    least = cv2.erode(cv2.convertScaleAbs(saliency, alpha=255.0), window, borderType=EDGE)
    over = np.maximum(least, DOUBT) - DOUBT
    lift = cv2.convertScaleAbs(over, alpha=255 / (CERTAIN - DOUBT))
    ramp = 2 * (reach // 2) + 1  # half as wide as the margin: the lift ends before the edge begins
    lift = cv2.blur(lift, (ramp, ramp), borderType=EDGE)
    return np.maximum(saliency, np.multiply(lift, np.float32(1 / 255), dtype=np.float32))
