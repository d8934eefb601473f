"""Whether a picture has a subject, and how far its map can be trusted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

PEAK_SHARE = 1e-3  # of the map: enough of it that a stray cell is no subject
MIN_STRENGTH = 0.3  # of U2-Net alone: over what empty pictures reach, under what subjects do
MIN_PRODUCT = 0.04  # of U2-Net's and IS-Net's: patterns that fool one leave the other cold
LOW_CONFIDENCE = 0.6  # an answer below it warns: of 20 such photographs, 12 have an IoU under 0.5
MODESTY = 3  # power that brings the expected to the measured IoU, as good for U2-Net as for IS-Net


def strength(saliency: ArrayF32) -> float:
    """Say how much the most salient part of a picture stands out.

    :param saliency: float32 (S, S) in [0, 1], raw: stretched, the map of an empty picture is noise.
    :return: the mean of the map's highest PEAK_SHARE, in [0, 1].
    """
    cells = saliency.ravel()
    count = max(1, round(cells.size * PEAK_SHARE))
    return float(np.partition(cells, cells.size - count)[-count:].mean())


def has_subject(saliency: ArrayF32, min_strength: float = MIN_STRENGTH) -> bool:
    """Return whether something stands out in a raw map, float32 (S, S) in [0, 1]."""
    return strength(saliency) >= min_strength


def have_subject(first: ArrayF32, second: ArrayF32) -> bool:
    """Return whether something stands out in two networks' raw maps of one picture.

    :param first: float32 (S, S) in [0, 1]; ``second`` likewise, of any size.
    """
    return strength(first) * strength(second) >= MIN_PRODUCT


def confidence(saliency: ArrayF32) -> float:
    """Measure how certain a map is, as the overlap (IoU) that it expects of itself.

    `calibration.expected_iou` makes of it the confidence that an answer reports. Were each value
    the probability that its cell is subject, the expected value would be that of the mask at 0.5;
    networks are surer of themselves than that, hence MODESTY.

    :param saliency: float32 (S, S) in [0, 1], raw.
    :return: confidence in [0, 1]; 0 where no cell reaches 0.5.
    """
    inside = saliency > 0.5
    area = float(np.count_nonzero(inside))
    hit = float(saliency.sum(where=inside, dtype=np.float64))
    missed = float(saliency.sum(dtype=np.float64)) - hit
    return float(hit / (area + missed)) ** MODESTY if area else 0.0
