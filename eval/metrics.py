"""Standard measures of a matte against the true one.

They are implemented here because pysodmetrics 1.6.2 requires opencv < 5 and numpy < 2.3.5. They
are checked against it on 41 pictures of the evaluation set.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32

    Mask = NDArray[np.bool_]

BETA_SQUARED = 0.3  # of salient object detection: precision counts more
TOLERANCE = 2.0  # px: the largest distance between matching boundaries
GHOST_WIDTH = 0.03  # of the longer side: wider half-transparent areas are neither edge nor hair
GRADIENT_SIGMA = 1.4  # px, of alphamatting.com's gradient error


def mean_error(alpha: ArrayF32, truth: ArrayF32) -> float:
    """Return the mean absolute error of two float32 (H, W) in [0, 1]."""
    return float(np.abs(alpha - truth).mean(dtype=np.float64))


def iou(mask: Mask, truth: Mask) -> float:
    """Return intersection over union of two bool (H, W); 1 when both are empty."""
    union = np.count_nonzero(mask | truth)
    return np.count_nonzero(mask & truth) / union if union else 1.0


def f_curve(alpha: ArrayF32, truth: Mask) -> NDArray[np.float64]:
    """Return F with BETA_SQUARED at the thresholds 255 to 0 of alpha as uint8, float64 (256,)."""
    levels = (alpha * 255).astype(np.uint8)
    if alpha.max() > alpha.min():  # the convention: each map is stretched over [0, 1]
        stretched = (alpha - alpha.min()) / (alpha.max() - alpha.min())
        levels = (stretched * 255).astype(np.uint8)
    hits = np.bincount(levels[truth], minlength=256)[::-1].cumsum()
    found = np.bincount(levels.ravel(), minlength=256)[::-1].cumsum()
    precision = hits / np.maximum(found, 1)
    recall = hits / max(np.count_nonzero(truth), 1)
    below = BETA_SQUARED * precision + recall
    return np.asarray((1 + BETA_SQUARED) * precision * recall / np.where(below == 0, 1, below))


def boundary_f(mask: Mask, truth: Mask) -> float:
    """Return F1 of the masks' inner boundaries, which match within TOLERANCE of each other."""
    ours, theirs = _boundary(mask), _boundary(truth)
    if not ours.any() or not theirs.any():
        return float(ours.any() == theirs.any())
    precision = float((_distance(theirs)[ours] <= TOLERANCE).mean())
    recall = float((_distance(ours)[theirs] <= TOLERANCE).mean())
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0


def _boundary(mask: Mask) -> Mask:
    inner = cv2.erode(mask.view(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(mask & (np.asarray(inner) == 0), np.bool_)


def _distance(boundary: Mask) -> ArrayF32:
    away = (~boundary).view(np.uint8)
    return np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_PRECISE), np.float32)


def ghost_share(alpha: ArrayF32) -> float:
    """Return the share of the subject that is a ghost: half-transparent and wider than an edge.

    A ghost is an area of 0.1 < alpha < 0.9 after a morphological opening by a square whose side is
    GHOST_WIDTH of the picture's longer side. The subject is the area of alpha > 0.5.

    Args:
        alpha: float32 (H, W) in [0, 1].
    """
    half = ((alpha > 0.1) & (alpha < 0.9)).view(np.uint8)
    side = max(1, round(GHOST_WIDTH * float(max(alpha.shape))))
    opened = cv2.morphologyEx(half, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    subject = int(np.count_nonzero(alpha > 0.5))
    return int(np.count_nonzero(opened)) / max(1, subject)


def sad(alpha: ArrayF32, truth: ArrayF32) -> float:
    """Return the sum of absolute errors in thousands of pixels."""
    return float(np.abs(alpha - truth).sum(dtype=np.float64) / 1000)


def gradient_error(alpha: ArrayF32, truth: ArrayF32) -> float:
    """Return the squared error of gradient magnitudes, in thousands (Rhemann et al., CVPR 2009)."""
    error = _gradient(alpha) - _gradient(truth)
    return float((error * error).sum(dtype=np.float64) / 1000)


def _gradient(alpha: ArrayF32) -> ArrayF32:
    reach = np.arange(-np.ceil(3 * GRADIENT_SIGMA), np.ceil(3 * GRADIENT_SIGMA) + 1)
    smooth = np.exp(-(reach**2) / (2 * GRADIENT_SIGMA**2))
    smooth /= smooth.sum()
    slope = reach / GRADIENT_SIGMA**2 * smooth
    across = cv2.sepFilter2D(alpha, cv2.CV_32F, slope, smooth)
    down = cv2.sepFilter2D(alpha, cv2.CV_32F, smooth, slope)
    return np.hypot(across, down, dtype=np.float32)
