"""Calibration of a remover's confidence."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from eval.score import Score

BINS = 10
SURE = 0.8  # confidence from which an answer counts as sure
WRONG = 0.5  # IoU below which a sure answer counts as wrong


def expected_error(confidence: NDArray[np.float64], iou: NDArray[np.float64]) -> float:
    """Return the expected calibration error over BINS bins of equal width.

    Args:
        confidence: float64 (N,) in [0, 1], the expected IoU.
        iou: float64 (N,) in [0, 1], the measured IoU.
    """
    bins = np.minimum((confidence * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, weights=confidence - iou, minlength=BINS)
    return float(np.abs(gaps).sum() / len(confidence))


def calibration(label: str, scores: Sequence[Score]) -> str:
    """Return a sentence on the answers' confidence, or an empty text where they have none."""
    known = [(s.confidence, s.iou) for s in scores if s.confidence is not None]
    if not known:
        return ""
    confidence, iou = np.array(known, np.float64).T
    sure = confidence >= SURE
    wrong = int((sure & (iou < WRONG)).sum())
    return (
        f"{label}: calibration error {expected_error(confidence, iou):.3f} over {len(known)} "
        f"answers; {wrong} of the {int(sure.sum())} at {SURE} or more have an IoU under {WRONG}\n"
    )
