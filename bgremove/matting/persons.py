"""Which parts of the prior are persons: is one there at all, and where a closer look pays.

Sizes are in cells of the prior's 256² unless they are shares. All thresholds were chosen on the
evaluation pictures with an even index, and hold on those with an odd one (docs/quality.md).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32, ImageU8, People

    Box = NDArray[np.float32]  # top, left, bottom, right in parts of the picture

EVIDENCE = (
    -0.95
)  # sum of logits: all people of the evaluation pass, of things only toys with a face
CLOSE_EVIDENCE = 0.0  # the same after a closer look, which also makes patterns look like people
BODY = 0.4  # score of a body that earns a closer look where the face is too small to be found
PERSON = 0.5  # of the prior
SPECK = 130  # cells: a smaller part of the prior is noise
PROMINENT = 0.15  # of the first person's weight: with less, one is a passer-by
ALIKE = 0.6  # of the best part's support: with less, a part is a thing that looks like a person
UNSUPPORTED = 0.15  # support of a part that no detector knows
FACE_COVER = 0.6  # of a face's box that a part covers when the face is its own
BODY_COVER = 0.25  # of a body's box, likewise, and half of the part lies in the box
BODY_GAIN = 1.3  # scores of bodies are lower than those of faces
GROWTH = 1.5  # of a box, for a closer look
CLOSE = 0.6  # of the picture: a box of more is no closer look


def evidence(people: People) -> float:
    """Return how much speaks for a person: the sum of the best body's and the best face's logit."""
    scores = np.clip([people.body, people.face], 1e-4, 1 - 1e-4)
    return float(np.log(scores / (1 - scores)).sum())


def hidden_body(people: People) -> Box | None:
    """Return the box of a body that deserves a closer look where the evidence is too weak."""
    if not len(people.bodies) or people.body < BODY:
        return None
    return _grown(people.bodies[0], 1.2)


def person_mask(prior: ArrayF32, saliency: ArrayF32, people: People) -> ImageU8:
    """Return the parts of the prior that are prominent persons.

    Each part counts by its area, its saliency and the bodies and faces in it.

    Args:
        prior: float32 (N, N) in [0, 1], the probability of a person.
        saliency: float32 (N, N) in [0, 1].
        people: bodies and faces of the same picture.

    Returns:
        uint8 (N, N) of 0 and 1; all 0 where the prior sees nobody.

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


def closer_look(persons: ImageU8, people: People) -> Box | None:
    """Return the box round the persons where the prior, run on it alone, sees them better.

    None where they fill the picture, or there are none.
    """
    if not persons.any():
        return None
    side, whole = persons.shape[0], np.count_nonzero(persons)
    rows, columns = np.nonzero(persons.any(axis=1))[0], np.nonzero(persons.any(axis=0))[0]
    low, high = np.array([rows[0], columns[0]]) / side, np.array([rows[-1], columns[-1]]) / side
    box = np.concatenate([low, high + 1 / side]).astype(np.float32)
    for body, score in zip(people.bodies, people.body_scores, strict=True):
        if score >= 0.8 * people.body and persons[_cells(body, side)].sum() > whole / 2:
            box[:2], box[2:] = np.minimum(box[:2], body[:2]), np.maximum(box[2:], body[2:])
    box = _grown(box, GROWTH)
    height, width = box[2:] - box[:2]
    return box if height * width < CLOSE else None


def pasted(prior: ArrayF32, close: ArrayF32, box: Box) -> ArrayF32:
    """Put the prior of a closer look, float32 (M, M), into its box of the whole picture's."""
    window = _cells(box, prior.shape[0])
    result = prior.copy()
    rows, columns = result[window].shape
    result[window] = cv2.resize(close, (columns, rows), interpolation=cv2.INTER_AREA)
    return result


def pixels(box: Box, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns that a box covers in a picture of ``size`` (width, height)."""
    width, height = size
    top, left, bottom, right = np.round(box * np.array([height, width, height, width])).astype(int)
    top, left = max(0, min(top, height - 1)), max(0, min(left, width - 1))
    return slice(top, max(top + 1, bottom)), slice(left, max(left + 1, right))


def disc(radius: int) -> ImageU8:
    """Return a disc, uint8 of 0 and 1, to dilate and erode masks with."""
    side = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, side), np.uint8)


def _support(here: NDArray[np.bool_], people: People) -> float:
    """Return the score of the face or body that a part of the prior belongs to."""
    best, area, side = UNSUPPORTED, np.count_nonzero(here), here.shape[0]
    for box, score in zip(people.faces, people.face_scores, strict=True):
        inside = here[_cells(box, side)]
        best = max(best, float(score) * min(1.0, inside.mean() / FACE_COVER))
    for box, score in zip(people.bodies, people.body_scores, strict=True):
        inside = here[_cells(box, side)]
        cover = min(1.0, inside.mean() / BODY_COVER) * min(1.0, 2 * inside.sum() / area)
        best = max(best, BODY_GAIN * float(score) * cover)
    return best


def _cells(box: Box, side: int) -> tuple[slice, slice]:
    return pixels(box, (side, side))


def _grown(box: Box, factor: float) -> Box:
    """Enlarge a box about its centre, as far as the picture goes."""
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * factor
    return np.asarray(np.concatenate([centre - half, centre + half]).clip(0, 1), np.float32)
