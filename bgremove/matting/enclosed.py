"""Enclosed regions of the ground's colour: openings, or parts of the subject.

The opening of a letter, a chain, a frame or a handle is ground. A white label, screen or shirt on
white has the ground's colour too but is subject. So is the area inside the lines of a drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.ink import square

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32, ImageU8
    from bgremove.matting.graphic import Graphic
    from bgremove.matting.ground import Ground

    Labels = NDArray[np.int32]

WHITE = 250  # levels: a ground that labels, screens, shirts and paper may share
MOST = 200  # the largest regions are examined; the rest count as openings
NEUTRAL = 16  # levels between the channels of black, grey and steel
THIN = 0.015  # of the picture's side: the widest stroke of a line drawing
ROOMY = 5.0  # times its stroke: insides of line drawings are wider, openings of letters narrower
MAIN_SHARE = 0.35  # of the hull of a line drawing: the least size of its largest enclosed part
LETTERS = 4  # pieces of one height on one line are a word
FRAME_SHARE = 0.3  # of the area inside a piece: an opening this large makes it a frame or a chain
RECTANGLE = 0.93  # of its box: a region that fills this much is a rectangle
RIM = 0.12  # of a screen's shorter side: the widest bezel
SLIVER = 3.0  # px: half the width of slivers that JPEG splits off at the outline of a pale thing
UNSURE = 0.2, 0.8  # saliency between these decides nothing
SAMPLES = 400  # pixels of a region at which the map is read
ANOTHER_INK = 60  # levels between two different inks
LEAST_AREA = 4  # px: a smaller region is part of an edge
ONE_SQUARE = 0.15  # of a region that may have the other square's colour
FLAT_SHARE = 0.97  # of a piece's pixels that must share its colour


@dataclass(frozen=True, slots=True, eq=False)
class Enclosed:
    """``alpha`` float32 (H, W) in [0, 1] with enclosed parts of the subject filled.

    ``openings`` is uint8 (H, W), 1 where enclosed ground shows through the subject. ``doubt`` is
    the area of uncertain decisions as a share of the subject's area.
    """

    alpha: ArrayF32
    openings: ImageU8
    doubt: float


@dataclass(frozen=True, slots=True, eq=False)
class _Region:
    """An enclosed region: its label, its box as slices, and its mask in the box, uint8 0 or 1."""

    label: int
    box: tuple[slice, slice]
    mask: ImageU8
    area: int


def settle_enclosed(bgr: ImageU8, graphic: Graphic, saliency: ArrayF32) -> Enclosed:
    """Decide for each enclosed region of the ground's colour whether it is subject.

    Args:
        bgr: uint8 (H, W, 3), the picture.
        graphic: the graphic read from it.
        saliency: float32 (S, S) in [0, 1], a network's map; it decides where colours do not.
    """
    alpha = graphic.alpha
    regions, labels = _regions(alpha)
    judge = _Judge(bgr, graphic, saliency)
    doubtful = 0
    if _may_share(graphic):
        for region in regions:
            board = bool(graphic.ground.cell)
            sure = judge.on_board(region) if board else judge.on_white(region)
            doubtful += 0 if sure else region.area
    which = np.zeros(int(labels.max()) + 1, np.uint8)
    which[[region.label for region in regions]] = 1
    if judge.subject:
        which[judge.subject] = 2
        alpha = _filled(alpha, which[labels] == 2)
    openings = (which[labels] == 1).view(np.uint8)
    return Enclosed(alpha, openings, doubtful / max(1, int(np.count_nonzero(alpha > 0.5))))


def is_white(ground: Ground) -> bool:
    """Return whether a ground is white, as labels, screens, shirts and highlights are."""
    return ground.plain is not None and min(ground.plain) >= WHITE


def _may_share(graphic: Graphic) -> bool:
    """Return whether parts of the subject may have exactly the ground's colour."""
    if graphic.ground.cell:
        return True
    if not is_white(graphic.ground):
        return False
    # Letters, marks and stamps have one exact ink that is not neutral.
    return graphic.ink is None or graphic.noise > 1 or _neutral(graphic.ink, 0)


def _regions(alpha: ArrayF32) -> tuple[list[_Region], Labels]:
    """Return the enclosed regions, largest first, and the label image."""
    open_ = (alpha < 0.5).view(np.uint8)
    # A border of one pixel connects all ground that reaches the picture's edge.
    padded = cv2.copyMakeBorder(open_, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=1)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(padded, connectivity=4)
    area = stats[:, cv2.CC_STAT_AREA].copy()
    area[[0, labels[0, 0]]] = 0
    labels = labels[1:-1, 1:-1]
    regions = []
    for label in np.argsort(-area)[:MOST]:
        if area[label] < LEAST_AREA:
            break
        left, top, width, height = (int(v) for v in stats[label, :4])
        box = slice(top - 1, top - 1 + height), slice(left - 1, left - 1 + width)
        mask = (labels[box] == label).view(np.uint8)
        regions.append(_Region(int(label), box, mask, int(area[label])))
    return regions, np.asarray(labels, np.int32)


def _filled(alpha: ArrayF32, inside: NDArray[np.bool_]) -> ArrayF32:
    """Set alpha to 1 within ``inside`` and on the nearer half of its outline."""
    to_inside = cv2.distanceTransform((~inside).view(np.uint8), cv2.DIST_L2, 3)
    ground = (alpha < 0.5) & ~inside
    to_ground = cv2.distanceTransform((~ground).view(np.uint8), cv2.DIST_L2, 3)
    return np.where(inside | (to_inside < to_ground), np.float32(1), alpha)


@dataclass(slots=True, eq=False)
class _Piece:
    """A connected piece of ink: its area, its hull's area, and whether it has one colour."""

    area: int
    hull: float
    flat: bool


class _Judge:
    """Decides region by region, largest first; ``subject`` holds the labels of subject regions."""

    def __init__(self, bgr: ImageU8, graphic: Graphic, saliency: ArrayF32) -> None:
        self.subject: list[int] = []
        self._bgr, self._graphic, self._saliency = bgr, graphic, saliency
        height, width = graphic.alpha.shape
        self._thin = max(3.0, THIN * float(np.sqrt(height * width)))
        ink = (graphic.alpha >= 0.5).view(np.uint8)
        _, self._pieces, self._stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
        self._known: dict[int, _Piece] = {}
        self._drawn: set[int] = set()  # pieces that are line drawings
        self._within = np.zeros((height, width), np.uint8)  # 1 inside line drawings

    def on_board(self, region: _Region) -> bool:
        """Keep a region of one square's colour that ink of several colours encloses."""
        ground = self._graphic.ground
        shown = ground.bgr[region.box][region.mask != 0].max(axis=1)
        light = float((shown > shown.mean()).mean()) if np.ptp(shown) else 0.0
        if ONE_SQUARE < light < 1 - ONE_SQUARE or self._graphic.ink is not None:
            return True
        seen = self._seen(region)
        if region.area >= ground.cell**2 / 2 or seen >= 0.5:
            self.subject.append(region.label)
        return not UNSURE[0] < seen < UNSURE[1]

    def on_white(self, region: _Region) -> bool:
        """Keep a region that is a part of the subject; return whether the decision is sure."""
        box = self._grown(region.box)
        mask = np.zeros(self._pieces[box].shape, np.uint8)
        top, left = region.box[0].start - box[0].start, region.box[1].start - box[1].start
        mask[top : top + region.mask.shape[0], left : left + region.mask.shape[1]] = region.mask
        rim = (cv2.dilate(mask, square(7)) != 0) & (self._pieces[box] != 0)
        if not rim.any():
            return True
        label = int(np.bincount(self._pieces[box][rim]).argmax())
        piece = self._piece(label)
        outline = self._full_colour(box, rim & (self._pieces[box] == label))
        neutral = _neutral(outline, self._graphic.noise)
        stroke = self._stroke(box, rim, outline)
        room = float(cv2.distanceTransform(_padded(mask), cv2.DIST_L2, 3).max())
        whole = _whole(mask)
        within = (whole != 0) & (self._pieces[box] != 0)
        other = self._other_ink(box, within, outline)
        line = neutral and stroke <= self._thin
        if self._within[region.box][region.mask != 0].any() or label in self._drawn:
            drawing = True
        elif piece.flat:
            large = region.area >= MAIN_SHARE * piece.hull
            drawing = line and large and room >= ROOMY * stroke and not self._word(within)
        else:
            drawing = line and room >= ROOMY / 2 * stroke
        if drawing:
            self._drawn.add(label)
            np.maximum(self._within[box], whole, out=self._within[box])
            self.subject.append(region.label)
            return True
        if region.area >= FRAME_SHARE * (region.area + piece.area) and not other:
            fills = region.area / (region.mask.shape[0] * region.mask.shape[1])
            if not (neutral and fills >= RECTANGLE) or within.any():
                return True
            # A screen or an empty frame: the first has a narrow rim.
            if stroke <= RIM * min(region.mask.shape) or self._seen(region) >= 0.5:
                self.subject.append(region.label)
            return False
        if piece.flat and not other:
            return True
        seen = self._seen(region)
        sliver = not piece.flat and room <= SLIVER and self._graphic.noise > 1
        if seen >= (0.3 if other else UNSURE[0] if sliver else 0.5):
            self.subject.append(region.label)
        return sliver or not UNSURE[0] < seen < UNSURE[1]

    def _grown(self, box: tuple[slice, slice]) -> tuple[slice, slice]:
        by = round(2 * self._thin) + 4
        rows, columns = box
        return slice(max(0, rows.start - by), rows.stop + by), slice(
            max(0, columns.start - by), columns.stop + by
        )

    def _piece(self, label: int) -> _Piece:
        if label not in self._known:
            left, top, width, height, area = (int(v) for v in self._stats[label])
            box = slice(top, top + height), slice(left, left + width)
            mask = self._pieces[box] == label
            points = cv2.findNonZero(mask.view(np.uint8))
            hull = float(cv2.contourArea(cv2.convexHull(points)))
            colours = self._bgr[box][self._full(box, mask)].astype(np.float32)
            middle = np.median(colours, axis=0)
            near = np.abs(colours - middle).max(1) <= 16 + 2 * self._graphic.noise
            self._known[label] = _Piece(area, hull, bool(near.mean() >= FLAT_SHARE))
        return self._known[label]

    def _full(self, box: tuple[slice, slice], among: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Return which pixels are full ink, not an edge."""
        distance = self._graphic.distance[box]
        full: NDArray[np.bool_] = among & (distance >= 0.8 * cv2.dilate(distance, square(3)))
        return full if full.any() else among

    def _full_colour(self, box: tuple[slice, slice], among: NDArray[np.bool_]) -> ArrayF32:
        return np.asarray(np.median(self._bgr[box][self._full(box, among)], axis=0), np.float32)

    def _stroke(self, box: tuple[slice, slice], rim: NDArray[np.bool_], outline: ArrayF32) -> float:
        """Return the width of the line around a region in pixels, up to the measured reach."""
        apart = np.abs(self._bgr[box].astype(np.int16) - np.rint(outline).astype(np.int16)).max(2)
        line = ((apart <= ANOTHER_INK) & (self._pieces[box] != 0)).view(np.uint8)
        half = cv2.distanceTransform(line, cv2.DIST_L2, 3)
        reach = 2 * round(self._thin / 2 + 1) + 1  # px: a wider line is measured as this wide
        return 2 * float(np.percentile(cv2.dilate(half, square(reach))[rim], 75))

    def _other_ink(
        self, box: tuple[slice, slice], within: NDArray[np.bool_], outline: ArrayF32
    ) -> bool:
        """Return whether ink inside a region differs in colour from the line around it."""
        if np.count_nonzero(within) < 0.003 * within.size:
            return False
        inner = self._full_colour(box, within)
        return bool(np.abs(inner - outline).max() > ANOTHER_INK / 2 + self._graphic.noise)

    def _word(self, within: NDArray[np.bool_]) -> bool:
        """Return whether the pieces inside a region are letters: of one height, on one line."""
        _, _, stats, centres = cv2.connectedComponentsWithStats(
            within.view(np.uint8), connectivity=8
        )
        height = stats[1:, cv2.CC_STAT_HEIGHT]
        if len(height) < LETTERS:
            return False
        typical = float(np.median(height))
        level = np.abs(centres[1:, 1] - np.median(centres[1:, 1])) <= typical / 2
        return int((level & (np.abs(height - typical) <= typical / 3)).sum()) >= LETTERS

    def _seen(self, region: _Region) -> float:
        """Return the mean saliency of a region."""
        rows, columns = np.nonzero(region.mask)
        step = max(1, len(rows) // SAMPLES)
        height, width = self._graphic.alpha.shape
        cells = self._saliency.shape
        y = ((rows[::step] + region.box[0].start + 0.5) * cells[0] / height).astype(int)
        x = ((columns[::step] + region.box[1].start + 0.5) * cells[1] / width).astype(int)
        return float(self._saliency[y.clip(0, cells[0] - 1), x.clip(0, cells[1] - 1)].mean())


def _neutral(colour: ArrayF32, noise: float) -> bool:
    """Return whether a colour, float32 (3,), is black, grey or steel."""
    return float(np.ptp(colour)) <= NEUTRAL + noise / 2


def _whole(mask: ImageU8) -> ImageU8:
    """Fill the enclosed areas of a mask, uint8 0 or 1."""
    outlines, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    whole = np.zeros_like(mask)
    cv2.drawContours(whole, outlines, -1, 1, cv2.FILLED)
    return whole


def _padded(mask: ImageU8) -> ImageU8:
    return np.asarray(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0), np.uint8)
