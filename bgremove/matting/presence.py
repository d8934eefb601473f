"""The presence of a subject in a picture, and the certainty of its map."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

PEAK_SHARE = 1e-3  # of the map: enough cells that a stray one does not count
MIN_STRENGTH = 0.3  # of U2-Net alone: empty pictures stay below, subjects reach it
MIN_PRODUCT = 0.04  # of U2-Net's and IS-Net's: patterns rarely mislead both
MODESTY = 3  # power that fits the expected IoU to the measured one, for U2-Net and IS-Net alike


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
    """Measure how certain a map is: the IoU of its mask that its own values imply.

    Each value is read as the probability that its cell is subject, and the mask is cut at 0.5.
    Networks are overconfident, which the power MODESTY corrects. `calibration.expected_iou` turns
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
