"""Whether one map shows a thing and another only the picture printed on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32

    Flags = NDArray[np.bool_]

SIDE = 160  # px: the size at which maps are compared
LARGER = 1.3  # the thing's area beside that of the part's convex hull: openings are no print
INSIDE = 0.9  # of the print's area lies on the thing
SOLID = 0.8  # of the thing's convex hull is thing: a cover, a box, a mug, a shirt
CERTAIN = 0.97  # mean saliency of the thing


def thing_of(first: ArrayF32, second: ArrayF32) -> ArrayF32 | None:
    """Return the map that shows a thing of which the other shows only a part, such as its print.

    A thing is larger, certain, solid and clear of the picture's border, and the part lies on it.

    Args:
        first: float32 (S, S) in [0, 1].
        second: likewise, of any size.

    Returns:
        ``first`` or ``second``; None where neither is a thing that holds the other.

    """
    pairs = ((first, second), (second, first))
    return next((thing for thing, part in pairs if _holds(_small(thing), _small(part))), None)


def _holds(thing: ArrayF32, part: ArrayF32) -> bool:
    inner = part > 0.5
    area = int(np.count_nonzero(inner))
    if not area:
        return False
    _, labels = cv2.connectedComponents((thing > 0.5).view(np.uint8))
    outer = labels == _most_common(labels[inner])
    if np.count_nonzero(outer & inner) < INSIDE * area:
        return False
    is_larger = np.count_nonzero(outer) >= LARGER * np.count_nonzero(_hull(inner))
    return is_larger and _is_thing(thing, outer)


def _most_common(labels: object) -> int:
    """Return the component, not the background 0, that occurs most; -1 where there is none."""
    counts = np.bincount(np.asarray(labels))[1:]
    return int(counts.argmax()) + 1 if counts.any() else -1


def _is_thing(saliency: ArrayF32, mask: Flags) -> bool:
    border = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    if any(side.any() for side in border):
        return False
    is_solid = np.count_nonzero(mask) >= SOLID * np.count_nonzero(_hull(mask))
    return bool(is_solid and saliency[mask].mean() >= CERTAIN)


def _hull(mask: Flags) -> Flags:
    rows, columns = np.nonzero(mask)
    hull = np.zeros(mask.shape, np.uint8)
    points = np.stack((columns, rows), axis=1).astype(np.int32)
    cv2.fillConvexPoly(hull, cv2.convexHull(points), 1)
    return hull > 0


def _small(saliency: ArrayF32) -> ArrayF32:
    return np.asarray(cv2.resize(saliency, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32)
