"""Subjects without holes: doubt about an edge is kept, doubt within the subject is not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

INSIDE = 0.55  # saliency that ends up in the mask anyway: lifting it moves no edge
MARGIN = 0.015  # of the map's side: how far from anything less salient the inside begins


def fill_inside(saliency: ArrayF32) -> ArrayF32:
    """Lift what is well inside the subject to certainty, so that it shows no background.

    Real holes are as dark as the background and stay; so do edges and hair, which are near it.

    :param saliency: float32 (S, S) in [0, 1].
    :return: float32 (S, S) in [0, 1], nowhere lower.
    """
    reach = max(1, round(MARGIN * max(saliency.shape)))
    window = np.ones((2 * reach + 1, 2 * reach + 1), np.uint8)
    inside = cv2.erode(
        (saliency > INSIDE).astype(np.uint8), window, borderType=cv2.BORDER_REPLICATE
    )
    ramp = 2 * (reach // 2) + 1  # half as wide as the margin: the lift ends before the edge begins
    lift = cv2.blur(np.asarray(inside, np.float32), (ramp, ramp), borderType=cv2.BORDER_REPLICATE)
    return np.maximum(saliency, np.asarray(lift, np.float32))
