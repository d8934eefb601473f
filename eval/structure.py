"""The S-measure of Fan et al., "Structure-measure", ICCV 2017, doi:10.1109/ICCV.2017.487."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32

    Mask = NDArray[np.bool_]

OBJECT_SHARE = 0.5  # of the object-aware part against the region-aware part
TINY = float(np.finfo(np.float64).eps)


def s_measure(alpha: ArrayF32, truth: Mask) -> float:
    """Return the structural similarity of float32 (H, W) in [0, 1] and bool (H, W), in [0, 1]."""
    share = float(truth.mean())
    values = alpha.astype(np.float64)
    if share == 0:
        return 1 - float(values.mean())
    if share == 1:
        return float(values.mean())
    objects = share * _object(values[truth]) + (1 - share) * _object(1 - values[~truth])
    score = OBJECT_SHARE * objects + (1 - OBJECT_SHARE) * _regions(values, truth)
    return max(0.0, score)


def _object(values: NDArray[np.float64]) -> float:
    mean = float(values.mean())
    spread = float(values.std(ddof=1)) if values.size > 1 else 0.0
    return 2 * mean / (mean * mean + 1 + spread + TINY)


def _regions(values: NDArray[np.float64], truth: Mask) -> float:
    """Return the similarity of the four parts around the true centroid, weighted by area."""
    rows, columns = np.nonzero(truth)
    row, column = int(np.round(rows.mean())) + 1, int(np.round(columns.mean())) + 1
    score = 0.0
    for vertical in (np.s_[:row], np.s_[row:]):
        for horizontal in (np.s_[:column], np.s_[column:]):
            part = values[vertical, horizontal]
            if part.size:
                similar = _similarity(part, truth[vertical, horizontal].astype(np.float64))
                score += part.size / values.size * similar
    return score


def _similarity(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> float:
    freedom = max(1, ours.size - 1)
    x, y = float(ours.mean()), float(theirs.mean())
    spread = float(((ours - x) ** 2).sum() + ((theirs - y) ** 2).sum()) / freedom
    common = float(((ours - x) * (theirs - y)).sum()) / freedom
    above, below = 4 * x * y * common, (x * x + y * y) * spread
    if above != 0:
        return above / (below + TINY)
    return float(below == 0)
