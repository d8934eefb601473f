"""People: the evidence for them, and the part of a saliency map that shows them.

Sizes are in cells of the prior's 256² unless they are shares.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, ImageU8, People
from bgremove.matting.closer_looks import cells
from bgremove.matting.masks import disc
from bgremove.matting.pyramid import averaged, stretched

# Least sum of logits of a person. Of the evaluation pictures with an even index, it lies between
# the least certain person and the most certain thing. In both halves, the only things that reach it
# are toys with a face.
EVIDENCE = -0.95
PERSON = 0.5  # of the prior
SPECK = 130  # cells: a smaller part of the prior is noise
PROMINENT = 0.15  # of the most prominent person's weight: below it, a person is a passer-by
ALIKE = 0.6  # of the best part's support: below it, a part only looks like a person
UNSUPPORTED = 0.15  # support of a part without a detection
FACE_COVER = 0.6  # of a face's box that a part must cover to own the face
BODY_COVER = 0.25  # of a body's box, likewise; half of the part must lie in the box
BODY_GAIN = 1.3  # scores of bodies are lower than those of faces
FAINT = 0.2  # saliency of the faintest pieces that are considered
REACH = 2  # cells: tolerance of the prior's edge
HELD = 0.3  # of the persons' area: a larger thing that touches them is not held or worn
SEAM = 0.8  # cells: the blur of a cut between a person and a cleared thing
SURE = 0.9  # of the prior: certainly a part of a person
MISSED = 0.5  # saliency below which such a part is missed
# Of the square root of the persons' area: how deep a missed part is at least. Gaps between arms and
# body, which the prior closes as well, are up to .06 deep; lost arms from .07.
DEPTH = 0.065


def evidence(people: People) -> float:
    """Return the evidence for a person: the sum of the best body's and the best face's logit."""
    scores = np.clip([people.body, people.face], 1e-4, 1 - 1e-4)
    return float(np.log(scores / (1 - scores)).sum())


def person_mask(prior: ArrayF32, saliency: ArrayF32, people: People) -> ImageU8:
    """Return the parts of the prior that are prominent persons.

    Each part is weighted by its area, its saliency, and the bodies and faces in it.

    Args:
        prior: float32 (N, N) in [0, 1], the probability of a person.
        saliency: float32 (N, N) in [0, 1].
        people: bodies and faces of the same picture.

    Returns:
        uint8 (N, N) of 0 and 1; all 0 where the prior shows no person.

    """
    mask = cv2.morphologyEx((prior > PERSON).astype(np.uint8), cv2.MORPH_OPEN, disc(1))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    support, weight = np.zeros(count), np.zeros(count)
    for part in range(1, count):
        area = stats[part, cv2.CC_STAT_AREA]
        if area < SPECK:
            continue
        here = labels == part
        support[part] = _support(here, people)
        weight[part] = area * prior[here].mean() * (0.1 + saliency[here].mean()) * support[part]
    keep = (weight >= PROMINENT * weight.max()) & (support >= ALIKE * support.max())
    keep &= weight > 0
    return np.asarray(keep[labels], np.uint8)


def keep_people(saliency: ArrayF32, prior: ArrayF32, persons: ImageU8) -> ArrayF32:
    """Clear everything but persons from a saliency map, and fill their missed parts.

    Small things that touch a person stay: bags, hats, instruments, tools. Edges are those of the
    saliency map except along cuts and in filled parts.

    Args:
        saliency: float32 (S, T) in [0, 1], stretched over the whole picture.
        prior: float32 (N, N) in [0, 1], the probability of a person, stretched alike.
        persons: uint8 (N, N) of 0 and 1, as `person_mask` returns it.

    Returns:
        float32 (S, T) in [0, 1]; the input itself where there is no person.

    """
    if not persons.any():
        return saliency
    small = averaged(saliency, persons.shape)
    kept = _kept(small, persons)
    filled = _filled(small, prior, persons)
    if kept is not None:
        saliency = saliency * stretched(kept, saliency.shape)
    if filled is not None:
        saliency = np.maximum(saliency, stretched(filled, saliency.shape))
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


def _support(here: NDArray[np.bool_], people: People) -> float:
    """Return the score of the face or body that a part of the prior belongs to."""
    best, area, side = UNSUPPORTED, np.count_nonzero(here), here.shape[0]
    for box, score in zip(people.faces, people.face_scores, strict=True):
        inside = here[cells(box, side)]
        best = max(best, float(score) * min(1.0, inside.mean() / FACE_COVER))
    for box, score in zip(people.bodies, people.body_scores, strict=True):
        inside = here[cells(box, side)]
        cover = min(1.0, inside.mean() / BODY_COVER) * min(1.0, 2 * inside.sum() / area)
        best = max(best, BODY_GAIN * float(score) * cover)
    return best
