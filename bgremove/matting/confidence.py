"""Measures of a saliency map: subject presence, certainty and doubt; confidence in an answer."""

from __future__ import annotations

import math

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32
from bgremove.matting.masks import square

PEAK_SHARE = 1e-3  # of the map: enough cells that a stray one does not count
MIN_STRENGTH = 0.3  # of U2-Net alone: empty pictures stay below, subjects reach it
MIN_PRODUCT = 0.04  # of U2-Net's and IS-Net's: patterns rarely mislead both
MODESTY = 3  # power that fits the expected IoU to the measured one, for U2-Net and IS-Net alike
# Log-odds of the expected IoU: constant, weight of the map's certainty, weight of the agreement of
# two networks. Fitted by logistic regression on 241 photographs; docs/quality.md has both halves.
ONE_NETWORK = (0.43, 0.83)
TWO_NETWORKS = (0.68, 0.21, 0.41)
# Expected IoU below which an answer has the warning low-confidence: of 20 such photographs, 12 have
# an IoU under 0.5.
WARN_BELOW = 0.6
EXTREME = 0.01  # evidence is clipped to this distance from 0 and 1
DOUBTFUL = (0.02, 0.98)  # saliency between these is in doubt
EDGE = 0.08  # of the square root of the subject's area: narrower doubt is an edge


def strength(saliency: ArrayF32) -> float:
    """Measure how much the most salient part of a picture stands out.

    Args:
        saliency: float32 (S, S) in [0, 1], raw; stretching the map of an empty picture gives noise.

    Returns:
        The mean of the map's highest PEAK_SHARE, in [0, 1].
    """
    cells = saliency.ravel()
    count = max(1, round(cells.size * PEAK_SHARE))
    return float(np.partition(cells, cells.size - count)[-count:].mean())


def has_subject(saliency: ArrayF32, min_strength: float = MIN_STRENGTH) -> bool:
    """Return whether something stands out in a raw map, float32 (S, S) in [0, 1]."""
    return strength(saliency) >= min_strength


def have_subject(first: ArrayF32, second: ArrayF32) -> bool:
    """Return whether something stands out in two networks' raw maps of one picture.

    Args:
        first: float32 (S, S) in [0, 1].
        second: likewise, of any size.
    """
    return strength(first) * strength(second) >= MIN_PRODUCT


def certainty(saliency: ArrayF32) -> float:
    """Measure how certain a map is, as the IoU of its mask implied by its own values.

    Each value is read as the probability that its cell is subject, and the mask is cut at 0.5.
    Networks are overconfident, which the power MODESTY corrects. `expected_iou` turns
    the result into the confidence that an answer reports.

    Args:
        saliency: float32 (S, S) in [0, 1], raw.

    Returns:
        Certainty in [0, 1]; 0 where no cell reaches 0.5.
    """
    inside = saliency > 0.5
    area = float(np.count_nonzero(inside))
    hit = float(saliency.sum(where=inside, dtype=np.float64))
    missed = float(saliency.sum(dtype=np.float64)) - hit
    return float(hit / (area + missed)) ** MODESTY if area else 0.0


def expected_iou(certainty: float, agreement: float | None) -> float:
    """Estimate the intersection over union of the mask with the true mask.

    Args:
        certainty: of the saliency map, in [0, 1], as `certainty` returns it.
        agreement: intersection over union of two networks' subjects, in [0, 1]; None where one
            network ran.

    Returns:
        The estimate, in [0, 1].
    """
    if agreement is None:
        constant, weight = ONE_NETWORK
        odds = constant + weight * _logit(certainty)
    else:
        constant, weight, weight_agreement = TWO_NETWORKS
        odds = constant + weight * _logit(certainty) + weight_agreement * _logit(agreement)
    return 1 / (1 + math.exp(-odds))


def _logit(share: float) -> float:
    bounded = min(max(share, EXTREME), 1 - EXTREME)
    return math.log(bounded / (1 - bounded))


def doubt(saliency: ArrayF32) -> float:
    """Measure the doubtful area of a map, without edges, as a share of the subject's area.

    Another animal, the rest of a train or a second thing often shows as a wide area of doubt in a
    map that is certain elsewhere. The edges of every subject are doubtful and are ignored.

    Args:
        saliency: float32 (S, S) in [0, 1], raw.

    Returns:
        The share, 0 or more; infinite where no cell reaches 0.5.
    """
    area = int(np.count_nonzero(saliency > 0.5))
    if not area:
        return math.inf
    low, high = DOUBTFUL
    doubtful = ((saliency > low) & (saliency < high)).view(np.uint8)
    side = max(3, round(EDGE * math.sqrt(area)))
    wide = cv2.morphologyEx(doubtful, cv2.MORPH_OPEN, square(side))
    return int(np.count_nonzero(wide)) / area
