"""Persons in a picture: the evidence for them, and their parts of the prior.

Sizes are in cells of the prior's 256² unless they are shares.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.regions import cells

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32, ImageU8, People


# Sum of logits, between the least sure person and the surest thing of the evaluation pictures with
# an even index. The only other things that reach it, in both halves, are toys with a face.
EVIDENCE = -0.95
PERSON = 0.5  # of the prior
SPECK = 130  # cells: a smaller part of the prior is noise
PROMINENT = 0.15  # of the most prominent person's weight: below it, a person is a passer-by
ALIKE = 0.6  # of the best part's support: below it, a part only looks like a person
UNSUPPORTED = 0.15  # support of a part without a detection
FACE_COVER = 0.6  # of a face's box that a part must cover to own the face
BODY_COVER = 0.25  # of a body's box, likewise; half of the part must lie in the box
BODY_GAIN = 1.3  # scores of bodies are lower than those of faces


def evidence(people: People) -> float:
    """Return the evidence for a person: the sum of the best body's and the best face's logit."""
    scores = np.clip([people.body, people.face], 1e-4, 1 - 1e-4)
    return float(np.log(scores / (1 - scores)).sum())


def person_mask(prior: ArrayF32, saliency: ArrayF32, people: People) -> ImageU8:
    """Return the parts of the prior that are prominent persons.

    Each part counts by its area, its saliency and the bodies and faces in it.

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


def disc(radius: int) -> ImageU8:
    """Return a disc, uint8 of 0 and 1, to dilate and erode masks with."""
    side = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, side), np.uint8)


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
