"""Fusion of several networks' maps of one picture."""

from __future__ import annotations

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32
from bgremove.matting.confidence import certainty
from bgremove.matting.pyramid import averaged, stretched

POWER = 5  # of certainty as weight: 0.9 beside 0.8 counts nearly twice
BOUND = 0.01  # saliency is taken as a probability from BOUND to 1 - BOUND


def fuse(*maps: ArrayF32) -> ArrayF32:
    """Average the log-odds of saliency maps, weighted by their certainty.

    The largest map gives the detail. A smaller map adds its difference from the largest map shrunk
    to its size. Where they agree, the edges of the largest map are therefore kept.

    Args:
        *maps: at least one, float32 (S, S) in [0, 1], raw; sizes may differ.

    Returns:
        float32 (S, S) in [0, 1], the size of the largest.

    """
    finest = max(maps, key=lambda saliency: saliency.size)
    weights = [max(certainty(saliency), 1e-3) ** POWER for saliency in maps]
    odds = _log_odds(finest)
    for saliency, weight in zip(maps, weights, strict=True):
        if saliency is not finest:
            difference = _log_odds(saliency) - _log_odds(averaged(finest, saliency.shape))
            odds += stretched(difference, finest.shape) * np.float32(weight / sum(weights))
    return np.asarray(1 / (1 + cv2.exp(-odds)), np.float32)


def agreement(first: ArrayF32, second: ArrayF32) -> float:
    """Return the intersection over union of the subjects in two maps of one picture.

    Args:
        first: float32 (S, S) in [0, 1].
        second: likewise, of any size.

    """
    large, small = (first, second) if first.size > second.size else (second, first)
    one, other = averaged(large, small.shape) > 0.5, small > 0.5
    union = int(np.count_nonzero(one | other))
    return int(np.count_nonzero(one & other)) / union if union else 0.0


def _log_odds(saliency: ArrayF32) -> ArrayF32:
    bounded = saliency.clip(BOUND, 1 - BOUND)
    return np.asarray(cv2.log(bounded / (1 - bounded)), np.float32)
