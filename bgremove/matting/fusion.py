"""Two networks' maps made into one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.presence import confidence

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

POWER = 5  # of confidence as weight: 0.9 beside 0.8 has nearly twice the say


def fuse(first: ArrayF32, second: ArrayF32) -> ArrayF32:
    """Average two saliency maps of one picture, the more confident one counting more.

    :param first: float32 (S, S) in [0, 1], raw; ``second`` likewise, of any size.
    :return: float32 in [0, 1], the size of the larger one.
    """
    if first.size < second.size:
        first, second = second, first
    sure, other = confidence(first) ** POWER, confidence(second) ** POWER
    share = sure / (sure + other) if sure + other else 0.5
    size = (first.shape[1], first.shape[0])
    large = cv2.resize(second, size, interpolation=cv2.INTER_CUBIC).clip(0, 1)
    large *= np.float32(1 - share)
    fused: ArrayF32 = np.add(large, first * np.float32(share), dtype=np.float32)
    return fused
