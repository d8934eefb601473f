"""The connected pieces of a graphic's ink."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.graphic import Graphic
from bgremove.matting.masks import hull_area, pieces, sampled, square
from bgremove.matting.regions import Region, padded

NEUTRAL = 16  # levels between the channels of black, grey and steel
THIN = 0.015  # of the picture's side: the widest stroke of a line drawing
LETTERS = 4  # pieces of one height on one line are a word
LEAST_LETTER = 0.02  # of the height around a word: a lower piece is noise
DASH = 0.2  # of its length: a narrower piece without branches is no letter
COLOURED = 0.02  # of a drawing's ink in a colour other than its lines
ROW = 2  # further pieces of like height on one line make a piece a letter
ANOTHER_INK = 60  # levels between two different inks
ANOTHER_FILL = 45  # levels between two inks of a piece: shaded metal differs by less
INSIDE = 0.3  # of a piece that is away from its edge: enough to read its colour there
FLAT_SHARE = 0.97  # of a piece's pixels that must share its colour
SAMPLES = 1 << 17  # pixels of a piece whose colours are compared; a piece may have 8 megapixels


@dataclass(slots=True, eq=False)
class Piece:
    """A connected piece of ink: its area, its hull's area, and whether it has one colour."""

    area: int
    hull: float
    flat: bool


class Ink:
    """The connected pieces of a graphic's ink, measured on demand.

    Attributes:
        labels: int32 (H, W), the number of the piece at each pixel; 0 is ground.
        stats: OpenCV's box and area of each piece.
        thin: The widest stroke of a line drawing, in pixels.

    """

    def __init__(self, bgr: ImageU8, graphic: Graphic) -> None:
        self._bgr, self._graphic = bgr, graphic
        height, width = graphic.alpha.shape
        self.thin = max(3.0, THIN * float(np.sqrt(height * width)))  # px: the widest line
        ink = (graphic.alpha >= 0.5).view(np.uint8)
        self.labels, self.stats = pieces(ink, connectivity=8)
        # Caches by piece number: one piece may be as large as the picture and enclose every region.
        self._known: dict[int, Piece] = {}
        self._second_inks: dict[int, bool] = {}
        self._cells: dict[int, NDArray[Any]] = {}

    def has_second_ink(self, label: int) -> bool:
        """Return whether a piece has a second ink, not only shades of the first."""
        if label not in self._second_inks:
            left, top, width, height, _ = (int(v) for v in self.stats[label])
            box = slice(top, top + height), slice(left, left + width)
            colours = self._colours(box, self._full(box, self.labels[box] == label))
            apart = np.abs(colours - np.median(colours, axis=0)).max(1)
            self._second_inks[label] = bool((apart > ANOTHER_FILL).mean() >= COLOURED)
        return self._second_inks[label]

    def is_letter(self, label: int) -> bool:
        """Return whether other pieces of similar height stand on one line with a piece."""
        left, top, width, height = self.stats[label, :4]
        lefts, tops, widths, heights = self.stats[1:, :4].T
        like = (heights >= height / 2) & (heights <= 2 * height)
        apart = (lefts >= left + width) | (lefts + widths <= left)
        ends = np.abs(tops + heights - top - height) <= 0.15 * height
        starts = np.abs(tops - top) <= 0.15 * height
        return int((like & apart & (ends | starts)).sum()) >= ROW

    def has_cells(self, region: Region, label: int) -> bool:
        """Return whether a piece encloses two areas or more of at least 5 % of a region's size."""
        if label not in self._cells:
            left, top, width, height, _ = (int(v) for v in self.stats[label])
            ink = (self.labels[top : top + height, left : left + width] == label).view(np.uint8)
            _, stats = pieces(1 - padded(ink), connectivity=4)
            self._cells[label] = np.sort(stats[1:, cv2.CC_STAT_AREA])[:-1]
        return int((self._cells[label] >= 0.05 * region.area).sum()) >= 2

    def rim(self, region: Region, label: int) -> int:
        """Return the least distance between the box of a region and that of its piece, in px."""
        left, top, width, height = (int(v) for v in self.stats[label, :4])
        rows, columns = region.box
        gaps = (
            rows.start - top,
            top + height - rows.stop,
            columns.start - left,
            left + width - columns.stop,
        )
        return int(min(gaps))

    def piece(self, label: int) -> Piece:
        """Return the measurements of a piece."""
        if label not in self._known:
            left, top, width, height, area = (int(v) for v in self.stats[label])
            box = slice(top, top + height), slice(left, left + width)
            mask = self.labels[box] == label
            hull = hull_area(mask.view(np.uint8))
            inner = mask & (cv2.erode(mask.view(np.uint8), square(5)) != 0)
            # JPEG's blurred colours beside an edge do not count where there is enough inside.
            clear = self._graphic.noise > 1 and np.count_nonzero(inner) >= INSIDE * area
            colours = self._colours(box, inner if clear else self._full(box, mask))
            middle = np.median(colours, axis=0)
            near = np.abs(colours - middle).max(1) <= 16 + 2 * self._graphic.noise
            self._known[label] = Piece(area, hull, bool(near.mean() >= FLAT_SHARE))
        return self._known[label]

    def _colours(self, box: tuple[slice, slice], among: NDArray[np.bool_]) -> ArrayF32:
        """Return the colours of up to 2 * SAMPLES pixels, evenly chosen, float32 (N, 3)."""
        return self._bgr[box][sampled(among, SAMPLES)].astype(np.float32)

    def _full(self, box: tuple[slice, slice], among: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which pixels are full ink, not an edge."""
        distance = self._graphic.distance[box]
        least = cv2.dilate(distance, square(3)) * np.float32(0.8)
        full: NDArray[np.bool_] = among & (distance >= least)
        return full if full.any() else among

    def full_colour(self, box: tuple[slice, slice], among: NDArray[np.bool_]) -> ArrayF32:
        """Return the median colour of full ink, BGR float32 (3,)."""
        return np.asarray(np.median(self._colours(box, self._full(box, among)), axis=0), np.float32)

    def stroke(
        self, box: tuple[slice, slice], rim: NDArray[np.bool_], outline: ArrayF32, most: float
    ) -> float:
        """Return the width of the line around a region in pixels, limited to about ``most``."""
        colour = np.rint(outline).astype(float)
        line = cv2.inRange(self._bgr[box], colour - ANOTHER_INK, colour + ANOTHER_INK)
        line[self.labels[box] == 0] = 0
        half = cv2.distanceTransform(line, cv2.DIST_L2, 3)
        reach = 2 * round(most / 2 + 1) + 1  # px: a wider line is measured as this wide
        return 2 * float(np.median(cv2.dilate(half, square(reach))[rim]))

    def holds_other_ink(
        self, box: tuple[slice, slice], within: NDArray[np.bool_], outline: ArrayF32
    ) -> bool:
        """Return whether ink inside a region differs in colour from the line around it."""
        if np.count_nonzero(within) < 0.003 * within.size:
            return False
        inner = self.full_colour(box, within)
        return bool(np.abs(inner - outline).max() > ANOTHER_INK / 2 + self._graphic.noise)


def is_word(within: NDArray[np.bool_]) -> bool:
    """Return whether the pieces inside a region are letters: of one height, on one line."""
    _, labels, stats, centres = cv2.connectedComponentsWithStats(
        within.view(np.uint8), connectivity=8
    )
    keep = stats[:, cv2.CC_STAT_HEIGHT] >= LEAST_LETTER * within.shape[0]
    keep[0] = False
    for label in np.flatnonzero(keep):
        left, top, width, tall, _ = (int(v) for v in stats[label])
        keep[label] = not _is_dash(labels[top : top + tall, left : left + width] == label)
    height, centres = stats[keep, cv2.CC_STAT_HEIGHT], centres[keep]
    if len(height) < LETTERS:
        return False
    typical = float(np.median(height))
    level = np.abs(centres[:, 1] - np.median(centres[:, 1])) <= typical / 2
    return int((level & (np.abs(height - typical) <= typical / 3)).sum()) >= LETTERS


def _is_dash(piece: NDArray[np.bool_]) -> bool:
    """Return whether a piece, bool (H, W), is a bare stroke, as in hatching."""
    _, (first, second), _ = cv2.minAreaRect(cv2.findNonZero(piece.view(np.uint8)))
    return bool(min(first, second) + 1 <= DASH * (max(first, second) + 1))


def is_neutral(colour: ArrayF32, noise: float) -> bool:
    """Return whether a colour, float32 (3,), is black, grey or steel."""
    return float(np.ptp(colour)) <= NEUTRAL + noise / 2
