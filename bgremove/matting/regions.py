"""The regions of a graphic's ground that its ink encloses."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.masks import Labels, hull_area, pieces, square

MOST = 200  # the largest regions are examined; the rest count as openings
MOST_AREA = 6  # times the picture: limit of the total area of their boxes, as rings may be nested
ROUND = 0.85  # of its convex hull: loops fill more, and outlines of shirts and figures less
STROKES = 0.004  # of the area inside a drawing: lines that run into it
LEAST_AREA = 4  # px: a smaller region is part of an edge


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """An enclosed region: its label in ``labels``, its box as slices, and its area."""

    label: int
    box: tuple[slice, slice]
    area: int
    labels: Labels

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the box."""
        rows, columns = self.box
        return rows.stop - rows.start, columns.stop - columns.start

    @property
    def mask(self) -> ImageU8:
        """The region in its box, uint8 0 or 1; not cached, because the boxes of rings overlap."""
        return np.asarray(self.labels[self.box] == self.label).view(np.uint8)


def enclosed_regions(alpha: ArrayF32) -> tuple[list[Region], Labels]:
    """Return the enclosed regions, largest first, and the label image.

    Raises PatternError where there are too many.
    """
    open_ = (alpha < 0.5).view(np.uint8)
    # A border of one pixel connects all ground that reaches the picture's edge.
    joined = cv2.copyMakeBorder(open_, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    labels, stats = pieces(np.asarray(joined, np.uint8), connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA].copy()
    area[[0, labels[0, 0]]] = 0
    labels = labels[1:-1, 1:-1]
    regions, examined = [], 0
    for label in np.argsort(-area)[:MOST]:
        left, top, width, height = (int(v) for v in stats[label, :4])
        examined += width * height
        if area[label] < LEAST_AREA or examined > MOST_AREA * alpha.size:
            break
        box = slice(top - 1, top - 1 + height), slice(left - 1, left - 1 + width)
        regions.append(Region(int(label), box, int(area[label]), labels))
    return regions, labels


def is_round(region: Region) -> bool:
    """Return whether a region fills its convex hull, as the inside of a ring or a chain does."""
    mask = region.mask
    return int(np.count_nonzero(whole_of(mask))) >= ROUND * hull_area(mask)


def has_strokes(region: Region, thin: float) -> bool:
    """Return whether lines run from the outline of a region into it."""
    by = round(thin)
    mask = cv2.copyMakeBorder(region.mask, by, by, by, by, cv2.BORDER_CONSTANT, value=0)
    closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, square(2 * (by // 2) + 1))
    return int(cv2.countNonZero(closed)) - region.area >= STROKES * region.area


def whole_of(mask: ImageU8) -> ImageU8:
    """Fill the enclosed areas of a mask, uint8 0 or 1."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros_like(mask)
    cv2.drawContours(whole, outlines, -1, 1, cv2.FILLED)
    return whole


def padded(mask: ImageU8) -> ImageU8:
    """Add a border of one pixel of 0 to a mask."""
    return np.asarray(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), np.uint8)
