"""Limit a saliency map to people: clear other things, restore missed parts of a person.

Sizes are in cells of the prior's 256² unless they are shares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.persons import disc

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, ImageU8

FAINT = 0.2  # saliency of the faintest pieces that are considered
REACH = 2  # cells: tolerance of the prior's edge
HELD = 0.3  # of the persons' area: a larger thing that touches them is not held or worn
SEAM = 0.8  # cells: the blur of a cut between a person and a cleared thing
SURE = 0.9  # of the prior: certainly a part of a person
MISSED = 0.5  # saliency below which such a part is missed
# Of the square root of the persons' area: how deep a missed part is at least. Gaps between arms and
# body, which the prior closes as well, are up to .06 deep; lost arms from .07.
DEPTH = 0.065


def keep_people(saliency: ArrayF32, prior: ArrayF32, persons: ImageU8) -> ArrayF32:
    """Clear everything but persons from a saliency map, and fill their missed parts.

    Small things that touch a person stay: bags, hats, instruments, tools. Edges are those of the
    saliency map except along cuts and in filled parts.

    Args:
        saliency: float32 (S, T) in [0, 1], stretched over the whole picture.
        prior: float32 (N, N) in [0, 1], the probability of a person, stretched alike.
        persons: uint8 (N, N) of 0 and 1, as `persons.person_mask` returns it.

    Returns:
        float32 (S, T) in [0, 1]; the input itself where there is no person.

    """
    if not persons.any():
        return saliency
    size = (persons.shape[1], persons.shape[0])
    small = np.asarray(cv2.resize(saliency, size, interpolation=cv2.INTER_AREA), np.float32)
    kept = _kept(small, persons)
    filled = _filled(small, prior, persons)
    if kept is not None:
        saliency = saliency * _stretched(kept, saliency)
    if filled is not None:
        saliency = np.maximum(saliency, _stretched(filled, saliency))
    return saliency


def _kept(small: ArrayF32, persons: ImageU8) -> ArrayF32 | None:
    """Return the share of each cell to keep, float32 in [0, 1]; None where all of it is kept."""
    near = cv2.dilate(persons, disc(REACH))
    others = ((small > FAINT) & (near == 0)).astype(np.uint8)
    others = cv2.morphologyEx(others, cv2.MORPH_OPEN, disc(1))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(others, connectivity=8)
    is_attached = np.zeros(len(stats), np.bool_)
    is_attached[labels[cv2.dilate(near, disc(REACH)) > 0]] = True
    is_held = is_attached & (stats[:, cv2.CC_STAT_AREA] <= HELD * np.count_nonzero(persons))
    dropped = (others > 0) & ~is_held[labels]
    if not dropped.any():
        return None
    kept = (near > 0) | ((others > 0) & is_held[labels])
    # Hair and soft edges belong to the nearer piece.
    to_kept, to_dropped = _distance(kept), _distance(dropped)
    return _blurred((to_kept < to_dropped).astype(np.float32), SEAM)


def _filled(small: ArrayF32, prior: ArrayF32, persons: ImageU8) -> ArrayF32 | None:
    """Return the saliency of missed parts, float32 in [0, 1]; None where nothing is missed."""
    sure = cv2.erode(((prior > SURE) & (persons > 0)).astype(np.uint8), disc(REACH))
    missed = sure & (small < MISSED).astype(np.uint8)
    depth = DEPTH * float(np.sqrt(np.count_nonzero(persons)))
    core = _distance(missed == 0) >= depth
    if not core.any():
        return None
    _, labels = cv2.connectedComponents(missed, connectivity=8)
    whole = np.isin(labels, np.unique(labels[core])).astype(np.uint8)
    grown = np.asarray(cv2.dilate(whole, disc(REACH)), np.uint8) & persons
    return _blurred(grown * prior, 1.0)


def _distance(flags: object) -> ArrayF32:
    """Return each cell's distance to the nearest set cell."""
    away = (~np.asarray(flags, np.bool_)).view(np.uint8)
    return np.asarray(cv2.distanceTransform(away, cv2.DIST_L2, cv2.DIST_MASK_5), np.float32)


def _blurred(share: ArrayF32, sigma: float) -> ArrayF32:
    return np.asarray(cv2.GaussianBlur(share, (0, 0), sigma), np.float32)


def _stretched(share: ArrayF32, like: ArrayF32) -> ArrayF32:
    size = (like.shape[1], like.shape[0])
    return np.asarray(cv2.resize(share, size, interpolation=cv2.INTER_LINEAR), np.float32)
