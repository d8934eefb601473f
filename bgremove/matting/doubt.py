"""Decide, by the picture's own colours, the uncertain areas that are wider than an edge."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.guided import linear_model
from bgremove.matting.masks import disc
from bgremove.matting.pyramid import halvings, shrink, stretched

Flags = NDArray[np.bool_]

LOW, HIGH = 0.08, 0.92  # saliency between these is uncertain
WORK_SIDE = 192  # px: the longer side of the working size; 256 costs twice the CPU, gains 0
WIDTH = 0.012  # of the longer side: narrower uncertain areas are edges, hair or motion
SURE = 0.9  # posterior from which the graph cut may not change a pixel
BINS = 16  # of a colour histogram, for each of L, a and b
SMOOTHING = 2.0  # px: how far neighbours share evidence
TRACE = 1e-5  # probability of a colour that does not occur in a layer
# At a soft edge of the picture itself, the colours within RAMP of the longer side explain the
# saliency: less than UNEXPLAINED of its variance remains. The variance is above RAMP_VARIANCE.
RAMP, UNEXPLAINED, RAMP_VARIANCE = 0.025, 0.1, 0.01
SOFT_SHARE = 0.85  # of an uncertain area that must be soft; a border between colours gives less


def resolve_doubt(saliency: ArrayF32, bgr: ImageU8) -> ArrayF32:
    """Replace wide uncertain areas of a saliency map by subject or background.

    Two colour histograms, weighted by the certainty of the map, give the probability that an
    uncertain pixel belongs to either layer. A graph cut draws the line between them. Edges and hair
    are narrower than WIDTH and stay as they are. So do soft edges of the picture itself, such as
    motion and defocus, where the colours fade as the saliency does.

    Args:
        saliency: float32 (S, T) in [0, 1], stretched over the whole picture.
        bgr: uint8 (H, W, 3), the picture at any size.

    Returns:
        float32 (S, T) in [0, 1]; the input itself where no uncertain area is wide.

    Source: the graph cut is Rother et al., "GrabCut", SIGGRAPH 2004, for one iteration.
    """
    size = _work_size(bgr)
    share = _resized(saliency, size)
    window = disc(max(1, round(WIDTH * max(size))))
    wide = _opened((share > LOW) & (share < HIGH), window)
    if not wide.any():
        return saliency
    small = _small(bgr, size)
    wide = _without_soft_edges(wide, _is_soft_edge(share, small))
    if not wide.any():
        return saliency
    label = _cut(small, share, _posterior(small, share), wide)
    # The label is blended in over the width of an edge, so that it draws no outline of its own.
    near = cv2.dilate(wide.view(np.uint8), window).astype(np.float32)
    blend = stretched(np.asarray(cv2.blur(near, window.shape), np.float32), saliency.shape)
    decided = stretched(np.asarray(cv2.blur(label, (3, 3)), np.float32), saliency.shape)
    return np.asarray(saliency + (decided - saliency) * blend, np.float32)


def _work_size(bgr: ImageU8) -> tuple[int, int]:
    """Return (width, height) of the picture reduced to WORK_SIDE, at least 16 pixels a side."""
    height, width = bgr.shape[:2]
    factor = WORK_SIDE / max(height, width)
    return max(16, round(width * factor)), max(16, round(height * factor))


def _opened(flags: Flags, window: ImageU8) -> Flags:
    opened = cv2.morphologyEx(flags.view(np.uint8), cv2.MORPH_OPEN, window)
    return np.asarray(opened, np.uint8) > 0


def _small(bgr: ImageU8, size: tuple[int, int]) -> ImageU8:
    halved = shrink(bgr, halvings(max(bgr.shape[:2]), 2 * WORK_SIDE))
    return np.asarray(cv2.resize(halved, size, interpolation=cv2.INTER_AREA), np.uint8)


def _resized(saliency: ArrayF32, size: tuple[int, int]) -> ArrayF32:
    small = cv2.resize(saliency, size, interpolation=cv2.INTER_AREA)
    return np.asarray(np.clip(small, 0, 1), np.float32)


def _without_soft_edges(wide: Flags, soft: Flags) -> Flags:
    """Remove the uncertain areas that are mostly soft edges."""
    count, labels = cv2.connectedComponents(wide.view(np.uint8), connectivity=8)
    areas = np.bincount(labels.ravel(), minlength=count)
    is_soft = np.bincount(labels[soft], minlength=count) >= SOFT_SHARE * areas
    is_soft[0] = True  # the background: not uncertain
    return np.asarray(~is_soft[labels], np.bool_)


def _is_soft_edge(share: ArrayF32, bgr: ImageU8) -> Flags:
    """Mark where nearby colours explain the saliency: the picture fades as the saliency does."""
    reach = max(1, round(RAMP * max(share.shape)))
    window = (2 * reach + 1, 2 * reach + 1)
    blue, green, red, offset = linear_model(share, bgr, (reach, reach))
    planes = [np.multiply(plane, np.float32(1 / 255)) for plane in cv2.split(bgr)]
    error = blue * planes[0] + green * planes[1] + red * planes[2] + offset - share
    mean = np.asarray(cv2.blur(share, window))
    variance = np.asarray(cv2.blur(share * share, window)) - mean * mean
    unexplained = np.asarray(cv2.blur(error * error, window))
    return np.asarray((unexplained < UNEXPLAINED * variance) & (variance > RAMP_VARIANCE))


def _posterior(bgr: ImageU8, share: ArrayF32) -> ArrayF32:
    """Return the probability of subject, float32 (h, w), from the map and the colours."""
    lab = np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2LAB), np.int32) * BINS // 256
    bins = (lab[..., 0] * BINS + lab[..., 1]) * BINS + lab[..., 2]
    fore, back = _histogram(bins, share * share), _histogram(bins, (1 - share) ** 2)
    by_colour = np.log(np.asarray((fore + TRACE) / (back + TRACE), np.float32))[bins]
    bounded = share.clip(0.02, 0.98)
    odds = cv2.GaussianBlur(np.log(bounded / (1 - bounded)) + by_colour, (0, 0), SMOOTHING)
    return np.asarray(1 / (1 + np.exp(-odds)), np.float32)


def _histogram(bins: NDArray[np.int32], weight: ArrayF32) -> ArrayF32:
    """Return the colour histogram of a layer, float32 (BINS³,) of sum 1, smoothed over a bin."""
    counts = np.bincount(bins.ravel(), weights=weight.ravel(), minlength=BINS**3)
    cube = counts.astype(np.float32).reshape(BINS, BINS, BINS)
    for _ in range(3):  # along each axis in turn
        cube = np.ascontiguousarray(np.moveaxis(cube, 0, 2))
        rows = cube.reshape(-1, BINS)
        smooth = cv2.GaussianBlur(rows, (5, 1), 1.0, sigmaY=1.0, borderType=cv2.BORDER_CONSTANT)
        cube = np.asarray(smooth, np.float32).reshape(cube.shape)
    return np.asarray((cube / max(float(cube.sum()), 1e-6)).ravel(), np.float32)


def _cut(bgr: ImageU8, share: ArrayF32, posterior: ArrayF32, wide: Flags) -> ArrayF32:
    """Label each pixel 0 or 1, float32 (h, w); pixels that map or posterior decide are fixed."""
    labels = np.where(posterior > 0.5, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    labels[(share > HIGH) | (wide & (posterior > SURE))] = cv2.GC_FGD
    labels[(share < LOW) | (wide & (posterior < 1 - SURE))] = cv2.GC_BGD
    subject = labels % 2  # GC_FGD and GC_PR_FGD are the odd ones
    if subject.any() and not subject.all():
        cv2.setRNGSeed(0)  # per thread: the same picture gets the same cut
        fore, back = np.zeros((1, 65)), np.zeros((1, 65))  # colour models, for the cut alone
        cv2.grabCut(bgr, labels, (0, 0, 0, 0), back, fore, 1, cv2.GC_INIT_WITH_MASK)
        subject = labels % 2
    return np.asarray(subject, np.float32)
