"""Line drawings among the pieces of a graphic's ink; the areas inside their lines are subject.

A drawn figure has thin lines around roomy parts. So have a necklace, a wheel and a round letter.
The content of the enclosed areas distinguishes them.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.graphic import Graphic
from bgremove.matting.ink_pieces import Ink, is_neutral, is_word
from bgremove.matting.masks import square
from bgremove.matting.regions import Region, has_strokes, is_round, padded, whole_of

DARK = 110  # levels: an ink without a brighter channel passes for black or sepia
ROOMY = 5.0  # times its stroke: insides of line drawings are wider, openings of letters narrower
ROOMY_FILLED = 2.5  # the same beside fills of other colours, which letters and chains lack
BOLD = 2.0  # times the widest line of a drawing: lines beside fills may be as wide
MAIN_SHARE = 0.35  # of the hull of a line drawing: the least size of its largest enclosed part
# The same for all roomy parts together, if one of them holds details. Loops of a signature do not.
ALL_SHARE, PARTS = 0.4, 2
DETAILS = 0.001  # of the area inside a drawing: less ink is noise
# Spokes, rungs and wires divide a thing into openings of similar size: at least MESH openings
# within a factor of ALIKE, with at least MESH_SHARE of the area of all openings.
MESH, ALIKE, MESH_SHARE = 8, 1.5, 0.6


@dataclass(frozen=True, slots=True, eq=False)
class Rim:
    """The ink around an enclosed region.

    ``box`` is a little larger than the region, ``mask`` the region in it, uint8 0 or 1. ``label``
    is the number of the piece, ``colour`` its colour beside the region, float32 (3,) BGR, and
    ``stroke`` its width there in pixels. ``room`` is half the width of the region in pixels.
    """

    box: tuple[slice, slice]
    mask: ImageU8
    label: int
    colour: ArrayF32
    stroke: float
    room: float


class LineDrawings:
    """The pieces of ink that are line drawings; found region by region, largest first."""

    def __init__(self, ink: Ink, graphic: Graphic) -> None:
        self._ink, self._graphic = ink, graphic
        self._pieces: set[int] = set()
        self._inside = np.zeros(graphic.alpha.shape, np.uint8)  # 1 within line drawings
        self._filled: dict[int, bool] = {}
        self._measured: dict[int, tuple[float, float]] = {}  # stroke and room of each region
        self._areas: dict[int, list[int]] = defaultdict(list)  # of the regions of each piece
        self._roomy: dict[int, list[int]] = defaultdict(list)  # of the roomy regions of each piece
        self._detailed: set[int] = set()  # pieces with more ink inside a roomy region

    def measure(self, regions: list[Region]) -> None:
        """Measure all regions; called before the first decision."""
        for region in regions:
            rim = self.rim(region)
            if rim is not None:
                self._areas[rim.label].append(region.area)
                roomy = ROOMY_FILLED if self._has_fills(rim.label) else ROOMY
                if self._is_line(rim) and rim.room >= roomy * rim.stroke:
                    self._roomy[rim.label].append(region.area)
                    if np.count_nonzero(self.within(rim)) >= DETAILS * region.area:
                        self._detailed.add(rim.label)

    def rim(self, region: Region) -> Rim | None:
        """Measure the ink around a region; None where there is none."""
        ink = self._ink
        by = round(2 * ink.thin) + 4
        rows, columns = region.box
        box = (
            slice(max(0, rows.start - by), rows.stop + by),
            slice(max(0, columns.start - by), columns.stop + by),
        )
        labels = ink.labels[box]
        mask = np.zeros(labels.shape, np.uint8)
        top, left = rows.start - box[0].start, columns.start - box[1].start
        height, width = region.size
        mask[top : top + height, left : left + width] = region.mask
        edge = (cv2.dilate(mask, square(7)) != 0) & (labels != 0)
        if not edge.any():
            return None
        label = int(np.bincount(labels[edge]).argmax())
        colour = ink.full_colour(box, edge & (labels == label))
        if region.label not in self._measured:
            most = ink.thin * (BOLD if self._has_fills(label) else 1)
            stroke = ink.stroke(box, edge, colour, most)
            room = float(cv2.distanceTransform(padded(mask), cv2.DIST_L2, 3).max())
            self._measured[region.label] = stroke, room
        return Rim(box, mask, label, colour, *self._measured[region.label])

    def within(self, rim: Rim) -> NDArray[np.bool_]:
        """Return the ink inside a region, bool, in ``rim.box``."""
        inside: NDArray[np.bool_] = whole_of(rim.mask) != 0
        inside &= self._ink.labels[rim.box] != 0
        return inside

    def is_mesh(self, label: int) -> bool:
        """Return whether a piece encloses many regions of like size: a wheel, a rack, a grid."""
        areas = np.sort(np.array(self._areas[label], np.float64))
        starts = np.arange(len(areas))
        ends = np.searchsorted(areas, areas * ALIKE, side="right")
        total = np.concatenate([[0], areas.cumsum()])
        alike = (total[ends] - total[starts])[ends - starts >= MESH]
        return bool(alike.max(initial=0) >= MESH_SHARE * total[-1] > 0)

    def is_dark(self, colour: ArrayF32) -> bool:
        """Return whether an ink is neutral, or dark enough to be a pen's."""
        return is_neutral(colour, self._graphic.noise) or float(colour.max()) <= DARK

    def encloses(self, region: Region, rim: Rim, within: NDArray[np.bool_]) -> bool | None:
        """Return whether a region lies inside the lines of a drawing; None if that is unsure.

        ``within`` marks the ink inside the region, bool, in ``rim.box``.
        """
        if self._inside[region.box][region.mask != 0].any() or rim.label in self._pieces:
            return True
        if not self._is_line(rim):
            return False
        dark, fills = self.is_dark(rim.colour), self._has_fills(rim.label)
        if fills and dark and (rim.stroke <= self._ink.thin or self._is_made_of_parts(rim)):
            return rim.room >= ROOMY_FILLED * rim.stroke
        if not self._is_large(region, rim) or is_word(within):
            return False
        is_detailed = np.count_nonzero(within) >= DETAILS * region.area
        if not is_detailed and self._ink.is_letter(rim.label):
            return False
        # A bare loop may also be a ring or a chain, and a coloured loop may be a stamp.
        is_figure = (
            is_detailed
            or bool(self._pieces)
            or not is_round(region)
            or has_strokes(region, self._ink.thin)
            or self._ink.has_cells(region, rim.label)
        )
        if dark or fills:
            return True if is_figure else None
        return None if is_figure else False

    def add(self, rim: Rim, whole: ImageU8) -> None:
        """Record a piece as a line drawing, and the area of ``whole`` as its inside."""
        self._pieces.add(rim.label)
        np.maximum(self._inside[rim.box], whole, out=self._inside[rim.box])

    def _is_line(self, rim: Rim) -> bool:
        return rim.stroke <= self._ink.thin * (BOLD if self._has_fills(rim.label) else 1)

    def _is_large(self, region: Region, rim: Rim) -> bool:
        """Return whether a region, or all roomy regions of its piece, are the piece's main part."""
        if rim.room < ROOMY * rim.stroke:
            return False
        if region.area >= MAIN_SHARE * self._ink.piece(rim.label).hull:
            return True
        return rim.label in self._detailed and self._is_made_of_parts(rim)

    def _is_made_of_parts(self, rim: Rim) -> bool:
        """Return whether several roomy regions together are the piece's main part."""
        roomy = self._roomy[rim.label]
        return len(roomy) >= PARTS and sum(roomy) >= ALL_SHARE * self._ink.piece(rim.label).hull

    def _has_fills(self, label: int) -> bool:
        """Return whether a piece has fills of other colours than its lines."""
        if label not in self._filled:
            piece = self._ink.piece(label)
            is_plain = piece.flat or self._graphic.ink is not None
            self._filled[label] = not is_plain and self._ink.has_second_ink(label)
        return self._filled[label]
