"""Comparison of maps: a thing against the picture printed on it, openings against filled ones."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.masks import Flags, square
from bgremove.matting.pyramid import averaged

SIDE = 160  # px: the size at which maps are compared
# A thing and the picture printed on it.
LARGER = 1.15  # the thing's area beside the print's
LARGER_HULL = 1.3  # ... beside that of the print's convex hull, or else
COVER = 0.4  # of the thing outside the print: the most that may have colours of the ground
INSIDE = 0.9  # of the print's area that must lie on the thing
SOLID = 0.8  # of its convex hull that a thing fills: a cover, a box, a mug, a shirt
CERTAIN = 0.9  # mean saliency of the thing
# A thing with openings, such as a wheel or a chair, and the same thing filled.
FILLED = 1.15  # the filled area beside the open one
COVERED = 0.9  # of the filled area that lies within the convex hull of the open one
COMMON = 0.5  # of the open area that lies in the filled one
CLEAR, CLEAR_MEAN = 0.4, 0.2  # share of the openings under 0.1, and their mean saliency
GROUND = 0.6  # of the openings that must have colours of the ground
MAIN, COMPACT = 0.8, 0.8  # a single opening: its share of all openings, and of its convex hull
ENCLOSED = 0.75  # of the rim of a single opening that must be bars
SAME = 0.75  # overlap of its colours with the ground's
# A thing that may have openings: the share of its colours that the ground near it has too. It is
# smaller for a ring, which once filled is nearly all of its convex hull.
SHARED = 0.5
SHARED_RING, RING = 0.2, 0.95
EDGE, NEAR = 5, 21  # px of SIDE: windows that pass over an edge, and over the ground near it
BINS = 16  # of a colour histogram, for each channel
RARE = 0.05  # quantile of the ground's own densities: a colour rarer than this is not the ground's


def may_be_filled(saliency: ArrayF32, bgr: ImageU8) -> bool:
    """Return whether a map may show a thing whose openings it fills, such as a wheel or a gate.

    The ground near such a thing has many of the thing's colours. The one opening of a thick ring
    holds a smaller share of them, but a filled ring is as solid as a disc.

    Args:
        saliency: float32 (S, S) in [0, 1].
        bgr: uint8 (H, W, 3), the picture.

    """
    whole = _small(saliency) > 0.5
    shared = _shared_colours(whole, bgr)
    return shared >= SHARED or (shared >= SHARED_RING and _solidity(whole) >= RING)


def thing_of(maps: Sequence[ArrayF32], bgr: ImageU8) -> ArrayF32 | None:
    """Return the map of a whole thing where another map shows only the print on it.

    A thing is larger, certain, solid and clear of the picture's border, and contains the print.

    Args:
        maps: float32 (S, S) in [0, 1]; sizes may differ.
        bgr: uint8 (H, W, 3), the picture.

    Returns:
        The largest thing of ``maps``; None where no map contains another.

    """
    small = [_small(saliency) for saliency in maps]
    things = [
        (int(np.count_nonzero(thing > 0.5)), index)
        for index, thing in enumerate(small)
        if any(_holds(thing, part, bgr) for part in small if part is not thing)
    ]
    return maps[max(things)[1]] if things else None


def has_openings(detailed: ArrayF32, filled: ArrayF32, bgr: ImageU8) -> bool:
    """Return whether one map shows clear openings in a thing that the other shows filled.

    U²-Net fills wheels, ladders and baskets with high confidence; IS-Net shows their openings.
    Openings have the colours of the ground; the cover around a printed picture does not.

    Args:
        detailed: float32 (S, S) in [0, 1].
        filled: likewise, of any size.
        bgr: uint8 (H, W, 3), the picture.

    """
    fine, coarse = _small(detailed), _small(filled)
    bars, whole = fine > 0.5, coarse > 0.5
    openings, ground = whole & ~bars, ~(whole | bars)
    area, total = int(np.count_nonzero(bars)), int(np.count_nonzero(whole))
    if not area or total < FILLED * area:
        return False
    return bool(
        np.count_nonzero(bars & whole) >= COMMON * area
        and np.count_nonzero(_hull(bars) & whole) >= COVERED * total
        and fine[openings].mean() <= CLEAR_MEAN
        and (fine[openings] < 0.1).mean() >= CLEAR
        and _share_of_ground(bgr, openings, ground) >= GROUND
        and not _is_missed_part(openings, bars, ground, bgr)
    )


def _shared_colours(whole: Flags, bgr: ImageU8) -> float:
    """Return the share of a subject's colours that the ground near it has too, in [0, 1].

    It is 0 where there is no subject or no ground.
    """
    mask = whole.view(np.uint8)
    inside = cv2.erode(mask, square(EDGE)) > 0
    outside = cv2.dilate(mask, square(EDGE)) == 0
    outside &= cv2.dilate(mask, square(NEAR)) > 0
    if not inside.any() or not outside.any():
        return 0.0
    bins = _colours(bgr)
    return _overlap(bins[inside], bins[outside])


def _is_missed_part(openings: Flags, bars: Flags, ground: Flags, bgr: ImageU8) -> bool:
    """Return whether openings may be one compact part of the subject that a network misses.

    A black helmet before dark ground passes every other test of an opening. Therefore bars must
    surround a single opening. Unless it is larger than its bars, its colours must also be as
    frequent in it as in the ground.
    """
    # Drops the lines where the edges of the two maps differ.
    wide = cv2.morphologyEx(openings.view(np.uint8), cv2.MORPH_OPEN, square(3))
    labels = np.asarray(cv2.connectedComponents(wide)[1], np.int32)
    part = np.asarray(labels == _most_common(labels[wide > 0]))
    area = int(np.count_nonzero(part))
    if area < MAIN * np.count_nonzero(wide) or _solidity(part) < COMPACT:
        return False
    rim = cv2.dilate(np.pad(part, 2).view(np.uint8), square(5)) > 0
    if np.count_nonzero(rim[2:-2, 2:-2] & bars) < ENCLOSED * (np.count_nonzero(rim) - area):
        return True
    if area >= np.count_nonzero(bars):
        return False
    bins = _colours(bgr)
    return _overlap(bins[part], bins[ground]) < SAME


def _share_of_ground(bgr: ImageU8, area: Flags, ground: Flags) -> float:
    """Return the share of an area's pixels whose colour is not rare in the ground."""
    if not ground.any():
        return 0.0
    bins = _colours(bgr)
    density = _density(bins[ground])
    least = np.quantile(density[bins[ground]], RARE)
    return float((density[bins[area]] >= least).mean())


def _colours(bgr: ImageU8) -> NDArray[np.int32]:
    """Return the histogram bin of each pixel of the picture reduced to (SIDE, SIDE)."""
    step = max(1, min(bgr.shape[:2]) // (4 * SIDE))  # a mean of every pixel takes longer, gains 0
    sparse = np.ascontiguousarray(bgr[::step, ::step])
    small = cv2.resize(sparse, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    steps = np.asarray(cv2.cvtColor(small, cv2.COLOR_BGR2LAB), np.int32) * BINS // 256
    return np.asarray((steps[..., 0] * BINS + steps[..., 1]) * BINS + steps[..., 2], np.int32)


def _overlap(one: NDArray[np.int32], other: NDArray[np.int32]) -> float:
    """Return the intersection of two areas' histograms of colours, in [0, 1]."""
    return float(np.minimum(_density(one), _density(other)).sum())


def _density(bins: NDArray[np.int32]) -> ArrayF32:
    """Return the smoothed histogram of colours, float32 (BINS³,), with a sum of at most 1."""
    counts = np.bincount(bins, minlength=BINS**3).reshape(BINS, BINS, BINS).astype(np.float32)
    return np.asarray(_blurred(counts).ravel() / (27 * bins.size), np.float32)


def _blurred(cube: ArrayF32) -> ArrayF32:
    """Sum a colour histogram, float32 (BINS, BINS, BINS), over three bins a channel."""
    for axis in range(3):
        padded = np.pad(cube, [(int(axis == side),) * 2 for side in range(3)])
        shifted = [padded.take(range(start, start + BINS), axis) for start in range(3)]
        cube = np.asarray(np.sum(shifted, axis=0), np.float32)
    return cube


def _holds(thing: ArrayF32, part: ArrayF32, bgr: ImageU8) -> bool:
    inner = part > 0.5
    area = int(np.count_nonzero(inner))
    if not area:
        return False
    labels = np.asarray(cv2.connectedComponents((thing > 0.5).view(np.uint8))[1], np.int32)
    outer = np.asarray(labels == _most_common(labels[inner]))
    size = int(np.count_nonzero(outer))
    if np.count_nonzero(outer & inner) < INSIDE * area or size < LARGER * area:
        return False
    if size < LARGER_HULL * np.count_nonzero(_hull(inner)):
        ground = ~(outer | (thing > 0.5) | inner)
        if _share_of_ground(bgr, outer & ~inner, ground) >= COVER:
            return False
    return _is_thing(thing, outer)


def _most_common(labels: NDArray[np.int32]) -> int:
    """Return the most frequent component other than the background 0; -1 where there is none."""
    counts = np.bincount(labels)[1:]
    return int(counts.argmax()) + 1 if counts.any() else -1


def _is_thing(saliency: ArrayF32, mask: Flags) -> bool:
    border = (mask[0], mask[-1], mask[:, 0], mask[:, -1])
    if any(side.any() for side in border):
        return False
    return _solidity(mask) >= SOLID and bool(saliency[mask].mean() >= CERTAIN)


def _solidity(mask: Flags) -> float:
    return int(np.count_nonzero(mask)) / max(1, int(np.count_nonzero(_hull(mask))))


def _hull(mask: Flags) -> Flags:
    rows, columns = np.nonzero(mask)
    hull = np.zeros(mask.shape, np.uint8)
    if rows.size:
        points = np.stack((columns, rows), axis=1).astype(np.int32)
        cv2.fillConvexPoly(hull, cv2.convexHull(points), (1, 1, 1))
    return hull > 0


def _small(saliency: ArrayF32) -> ArrayF32:
    return averaged(saliency, (SIDE, SIDE))
