"""Boxes of people for closer looks.

A closer look runs the prior on one box alone, where it detects persons better.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, ImageU8, People
from bgremove.matting.pyramid import averaged

CLOSE_EVIDENCE = 0.0  # least sum of logits after a closer look, in which patterns resemble people
BODY = 0.4  # score of a body for a closer look where its face is too small to detect
NEARLY = 0.8  # of the best score of its kind: such a box is probably a person too
HIDDEN = 0.3  # share of a box covered by the persons: with less, the box is another person's
SALIENT = 0.5  # saliency of the subject
STANDS_OUT = 0.4  # mean saliency of a box
MOST_UNSEEN = 2  # closer looks at persons that the prior missed, 17 ms each
GROWTH = 1.5  # of a box, for a closer look
CLOSE = 0.6  # of the picture: a larger box gains nothing
Box: TypeAlias = "NDArray[np.float32]"  # (4,): top, left, bottom, right, in parts of the picture
Boxes: TypeAlias = "NDArray[np.float32]"  # (N, 4)


def hidden_body(people: People) -> Box | None:
    """Return the box of a body for a closer look; None where no body scores BODY or more."""
    if not len(people.bodies) or people.body < BODY:
        return None
    return grown(people.bodies[0], 1.2)


def unseen(persons: ImageU8, saliency: ArrayF32, people: People) -> list[Box]:
    """Return the body boxes of at most two likely, salient persons missing in ``persons``.

    If ``persons`` is empty and no such person is salient, return the likely bodies.
    """
    boxes: list[Box] = []
    covered = persons.astype(np.bool_)
    faces = [(face, _body_of(face)) for face in _likely(people.faces, people.face_scores)]
    bodies = [(body, body) for body in _likely(people.bodies, people.body_scores)]
    for found, body in faces + bodies:
        window = cells(found, covered.shape[0])
        if covered[window].mean() < HIDDEN and saliency[window].mean() > STANDS_OUT:
            boxes.append(body)
            covered[cells(grown(body, GROWTH), covered.shape[0])] = True
    if not boxes and not covered.any():  # a small person whom the prior misses
        boxes = [body for _, body in bodies]
    return boxes[:MOST_UNSEEN]


def explains(persons: ImageU8, saliency: ArrayF32, body: Box) -> bool:
    """Return whether the persons cover most of the salient area in a body's box."""
    window = cells(body, persons.shape[0])
    salient = saliency[window] > SALIENT
    return bool(2 * np.count_nonzero(persons[window][salient]) >= np.count_nonzero(salient))


def stand_out(persons: ImageU8, saliency: ArrayF32) -> bool:
    """Return whether the mean saliency of the persons is above SALIENT; False for no persons."""
    return bool(persons.any()) and float(saliency[persons > 0].mean()) > SALIENT


def closer_look(persons: ImageU8, people: People) -> Box | None:
    """Return the box around the persons for a run of the prior on that box alone.

    None where the persons fill the picture, or there are none.
    """
    if not persons.any():
        return None
    side, whole = persons.shape[0], np.count_nonzero(persons)
    rows, columns = np.nonzero(persons.any(axis=1))[0], np.nonzero(persons.any(axis=0))[0]
    low, high = np.array([rows[0], columns[0]]) / side, np.array([rows[-1], columns[-1]]) / side
    box = np.concatenate([low, high + 1 / side]).astype(np.float32)
    for body, score in zip(people.bodies, people.body_scores, strict=True):
        if score >= 0.8 * people.body and persons[cells(body, side)].sum() > whole / 2:
            box[:2], box[2:] = np.minimum(box[:2], body[:2]), np.maximum(box[2:], body[2:])
    box = grown(box, GROWTH)
    height, width = box[2:] - box[:2]
    return box if height * width < CLOSE else None


def pasted(prior: ArrayF32, close: ArrayF32, box: Box, *, adds: bool = False) -> ArrayF32:
    """Paste the prior of a closer look, float32 (M, M), into its box of the whole picture's prior.

    With ``adds`` the higher value of the two is kept, otherwise the closer look replaces it.
    """
    window = cells(box, prior.shape[0])
    result = prior.copy()
    inside = averaged(close, result[window].shape)
    result[window] = np.maximum(result[window], inside) if adds else inside
    return result


def _likely(boxes: Boxes, scores: ArrayF32) -> Boxes:
    """Return the boxes whose score is close to the best."""
    return np.asarray(boxes[scores >= NEARLY * scores.max(initial=0)], np.float32)


def _body_of(face: Box) -> Box:
    """Return the expected box of the body below a face: four faces wide and seven high."""
    top, left, bottom, right = face
    height, width = bottom - top, right - left
    body = (top - 0.5 * height, left - 1.5 * width, bottom + 5.5 * height, right + 1.5 * width)
    return np.asarray(body, np.float32)


def pixels(box: Box, size: tuple[int, int]) -> tuple[slice, slice]:
    """Return the rows and columns that a box covers in a picture of ``size`` (width, height)."""
    width, height = size
    top, left, bottom, right = np.round(box * np.array([height, width, height, width])).astype(int)
    top, left = max(0, min(top, height - 1)), max(0, min(left, width - 1))
    return slice(top, max(top + 1, bottom)), slice(left, max(left + 1, right))


def cells(box: Box, side: int) -> tuple[slice, slice]:
    """Return the rows and columns that a box covers in a map of ``side`` cells."""
    return pixels(box, (side, side))


def grown(box: Box, factor: float) -> Box:
    """Enlarge a box about its centre, clipped to the picture."""
    centre, half = (box[:2] + box[2:]) / 2, (box[2:] - box[:2]) / 2 * factor
    return np.asarray(np.concatenate([centre - half, centre + half]).clip(0, 1), np.float32)
