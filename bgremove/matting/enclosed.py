"""Enclosed regions of the ground's colour: openings, or parts of the subject.

The opening of a letter, a chain, a frame or a handle is ground. A white label, screen or shirt on
white has the ground's colour too but is subject. So is the area inside the lines of a drawing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import cv2
import numpy as np

from bgremove.matting.ink import outside, square

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32, ImageU8
    from bgremove.matting.graphic import Graphic
    from bgremove.matting.ground import Ground

    Labels = NDArray[np.int32]

WHITE = 250  # levels: a ground that highlights may share
BRIGHT = 240  # levels: a ground that labels, screens, shirts and drawings may share
MOST = 200  # the largest regions are examined; the rest count as openings
NEUTRAL = 16  # levels between the channels of black, grey and steel
DARK = 64  # levels: an ink without a brighter channel passes for black
THIN = 0.015  # of the picture's side: the widest stroke of a line drawing
ROOMY = 5.0  # times its stroke: insides of line drawings are wider, openings of letters narrower
MAIN_SHARE = 0.35  # of the hull of a line drawing: the least size of its largest enclosed part
LETTERS = 4  # pieces of one height on one line are a word
LEAST_LETTER = 0.02  # of the height around a word: a lower piece is noise
FRAME_SHARE = 0.3  # of the area inside a piece: an opening this large makes it a frame or a chain
RECTANGLE = 0.93  # of its box: a region that fills this much is a rectangle
RIM = 0.12  # of a screen's shorter side: the widest bezel
ROUND = 0.85  # of its convex hull: loops fill more, and outlines of shirts and figures less
STROKES = 0.004  # of the area inside a drawing: lines that run into it
DETAILS = 0.001  # of the area inside a drawing: less ink is noise
COLOURED = 0.02  # of a drawing's ink in a colour other than its lines
ROW = 2  # further pieces of like height on one line make a piece a letter
EDGE = 9  # px: a sharp edge reaches its full contrast within half of this
SOFT = 0.4  # of the contrast of the outer edge: less at the edge of a region is shading
SLIVER = 3.0  # px: half the width of slivers that JPEG splits off at the outline of a pale thing
UNSURE = 0.2, 0.8  # saliency between these decides nothing
SAMPLES = 400  # pixels of a region at which the map is read
ANOTHER_INK = 60  # levels between two different inks
ANOTHER_FILL = 45  # levels between two inks of a piece: shaded metal differs by less
LEAST_AREA = 4  # px: a smaller region is part of an edge
ONE_SQUARE = 0.15  # of a region that may have the other square's colour
INSIDE = 0.3  # of a piece that is away from its edge: enough to read its colour there
FLAT_SHARE = 0.97  # of a piece's pixels that must share its colour


class Seen(Protocol):
    """A network's view of a picture."""

    @property
    def saliency(self) -> ArrayF32:
        """The map, float32 (S, S) in [0, 1]."""

    @property
    def has_subject(self) -> bool:
        """Whether something stands out in the map."""


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


def settle_enclosed(bgr: ImageU8, graphic: Graphic, look: Callable[[], Seen]) -> Enclosed:
    """Decide for each enclosed region of the ground's colour whether it is subject.

    Args:
        bgr: uint8 (H, W, 3), the picture.
        graphic: the graphic read from it.
        look: runs a network; called only where colours do not decide.
    """
    alpha = graphic.alpha
    regions, labels = _regions(alpha)
    judge = _Judge(bgr, graphic, look)
    doubtful, may_share, board = 0, _may_share(graphic), bool(graphic.ground.cell)
    for region in regions:
        if not board and judge.is_shading(region):
            continue
        if may_share:
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
    return graphic.ground.plain is not None and min(graphic.ground.plain) >= BRIGHT


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

    def __init__(self, bgr: ImageU8, graphic: Graphic, look: Callable[[], Seen]) -> None:
        self.subject: list[int] = []
        self._bgr, self._graphic, self._look = bgr, graphic, look
        height, width = graphic.alpha.shape
        self._thin = max(3.0, THIN * float(np.sqrt(height * width)))
        ink = (graphic.alpha >= 0.5).view(np.uint8)
        _, self._pieces, self._stats, _ = cv2.connectedComponentsWithStats(ink, connectivity=8)
        self._known: dict[int, _Piece] = {}
        self._drawn: set[int] = set()  # pieces that are line drawings
        self._within = np.zeros((height, width), np.uint8)  # 1 inside line drawings
        self._outer: float | None = None
        # Letters, marks and stamps have one exact ink that is not neutral.
        colour, is_exact = graphic.ink, graphic.noise <= 1
        self._is_coloured_ink = colour is not None and is_exact and not _neutral(colour, 0)

    def is_shading(self, region: _Region) -> bool:
        """Keep a region whose edge is soft beside the subject's own: a highlight or a fold."""
        rows, columns = region.box
        by = EDGE // 2
        box = (
            slice(max(0, rows.start - by), rows.stop + by),
            slice(max(0, columns.start - by), columns.stop + by),
        )
        contrast = cv2.dilate(self._graphic.distance[box], square(EDGE))
        top, left = rows.start - box[0].start, columns.start - box[1].start
        contrast = contrast[top : top + region.mask.shape[0], left : left + region.mask.shape[1]]
        edge = (cv2.erode(_padded(region.mask), square(3))[1:-1, 1:-1] == 0) & (region.mask != 0)
        if float(np.median(contrast[edge])) >= SOFT * self._outer_contrast():
            return False
        self.subject.append(region.label)
        return True

    def _outer_contrast(self) -> float:
        """Return the median contrast at the edge between the subject and the open ground."""
        if self._outer is None:
            open_ = outside((self._pieces > 0).view(np.uint8)).view(np.uint8)
            edge = (open_ != 0) & (cv2.erode(open_, square(3)) == 0)
            contrast = cv2.dilate(self._graphic.distance, square(EDGE))[edge]
            self._outer = float(np.median(contrast)) if contrast.size else 0.0
        return self._outer

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
        neutral |= self._graphic.ink is None and float(outline.max()) <= DARK
        stroke = self._stroke(box, rim, outline)
        room = float(cv2.distanceTransform(_padded(mask), cv2.DIST_L2, 3).max())
        whole = _whole(mask)
        within = (whole != 0) & (self._pieces[box] != 0)
        other = self._other_ink(box, within, outline)
        drawn = self._is_drawn(region, label, piece, stroke, room, within, neutral)
        if drawn and not self._is_coloured_ink:
            self._drawn.add(label)
            np.maximum(self._within[box], whole, out=self._within[box])
            self.subject.append(region.label)
            return True
        if self._is_coloured_ink:
            return drawn is not None
        if region.area >= FRAME_SHARE * (region.area + piece.area):
            sure = self._settle_wide(region, label, whole, neutral, other, within.any())
            if sure is not None:
                return sure and drawn is not None
        if piece.flat and not other:
            return True
        seen = self._seen(region)
        sliver = not piece.flat and room <= SLIVER and self._graphic.noise > 1
        if seen >= (0.3 if other else UNSURE[0] if sliver else 0.5):
            self.subject.append(region.label)
        return sliver or not UNSURE[0] < seen < UNSURE[1]

    def _settle_wide(
        self,
        region: _Region,
        label: int,
        whole: ImageU8,
        neutral: bool,
        other: bool,
        holds_ink: bool,
    ) -> bool | None:
        """Decide on a wide region, a screen or the opening of a frame; return whether it is sure.

        None where something of another ink lies in a frame.
        """
        fills = np.count_nonzero(whole) / (region.mask.shape[0] * region.mask.shape[1])
        is_screen = neutral and fills >= RECTANGLE
        # The rim of a screen is narrow, and that of most frames is not.
        is_narrow = is_screen and self._rim(region, label) <= RIM * min(region.mask.shape)
        if other:
            if is_narrow:  # a screen that shows something
                self.subject.append(region.label)
            return True if is_narrow else None
        if not is_screen or holds_ink:
            return True
        if is_narrow or self._seen(region) >= 0.5:
            self.subject.append(region.label)
        return False

    def _is_drawn(
        self,
        region: _Region,
        label: int,
        piece: _Piece,
        stroke: float,
        room: float,
        within: NDArray[np.bool_],
        neutral: bool,
    ) -> bool | None:
        """Return whether a region lies inside the lines of a drawing; None where it may."""
        if self._within[region.box][region.mask != 0].any() or label in self._drawn:
            return True
        line = stroke <= self._thin
        if not piece.flat and self._graphic.ink is None and self._is_coloured(label, piece):
            return neutral and line and room >= ROOMY / 2 * stroke
        large = region.area >= MAIN_SHARE * piece.hull and room >= ROOMY * stroke
        if not (line and large) or self._word(within):
            return False
        if np.count_nonzero(within) < DETAILS * region.area and self._is_letter(label):
            return False
        # A bare loop may be a ring or a chain as well, and a coloured one a stamp.
        is_figure = (
            np.count_nonzero(within) >= DETAILS * region.area
            or bool(self._drawn)
            or not _is_round(region)
            or self._has_strokes(region)
            or self._has_cells(region, label)
        )
        if neutral:
            return True if is_figure else None
        return None if is_figure else False

    def _is_coloured(self, label: int, piece: _Piece) -> bool:
        """Return whether a piece has a second ink beside its shading."""
        left, top, width, height, _ = (int(v) for v in self._stats[label])
        box = slice(top, top + height), slice(left, left + width)
        colours = self._bgr[box][self._full(box, self._pieces[box] == label)].astype(np.float32)
        apart = np.abs(colours - np.median(colours, axis=0)).max(1)
        return bool((apart > ANOTHER_FILL).mean() >= COLOURED)

    def _is_letter(self, label: int) -> bool:
        """Return whether further pieces of like height stand on one line with a piece."""
        left, top, width, height = self._stats[label, :4]
        lefts, tops, widths, heights = self._stats[1:, :4].T
        like = (heights >= height / 2) & (heights <= 2 * height)
        apart = (lefts >= left + width) | (lefts + widths <= left)
        ends = np.abs(tops + heights - top - height) <= 0.15 * height
        starts = np.abs(tops - top) <= 0.15 * height
        return int((like & apart & (ends | starts)).sum()) >= ROW

    def _has_strokes(self, region: _Region) -> bool:
        """Return whether lines run from the outline of a region into it."""
        by = round(self._thin)
        mask = cv2.copyMakeBorder(region.mask, by, by, by, by, cv2.BORDER_CONSTANT, value=0)
        closed = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, square(2 * (by // 2) + 1))
        return int(cv2.countNonZero(closed)) - region.area >= STROKES * region.area

    def _has_cells(self, region: _Region, label: int) -> bool:
        """Return whether the lines of a piece enclose more than this region."""
        left, top, width, height, _ = (int(v) for v in self._stats[label])
        ink = (self._pieces[top : top + height, left : left + width] == label).view(np.uint8)
        count, _, stats, _ = cv2.connectedComponentsWithStats(1 - _padded(ink), connectivity=4)
        cells = np.sort(stats[1:count, cv2.CC_STAT_AREA])[:-1]
        return int((cells >= 0.05 * region.area).sum()) >= 2

    def _rim(self, region: _Region, label: int) -> int:
        """Return the least distance between the box of a region and that of its piece, in px."""
        left, top, width, height = (int(v) for v in self._stats[label, :4])
        rows, columns = region.box
        gaps = (
            rows.start - top,
            top + height - rows.stop,
            columns.start - left,
            left + width - columns.stop,
        )
        return int(min(gaps))

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
            inner = mask & (cv2.erode(mask.view(np.uint8), square(5)) != 0)
            # JPEG's blurred colours beside an edge do not count where there is enough inside.
            clear = self._graphic.noise > 1 and np.count_nonzero(inner) >= INSIDE * area
            colours = self._bgr[box][inner if clear else self._full(box, mask)].astype(np.float32)
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
        return 2 * float(np.median(cv2.dilate(half, square(reach))[rim]))

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
        keep = stats[:, cv2.CC_STAT_HEIGHT] >= LEAST_LETTER * within.shape[0]
        keep[0] = False
        height, centres = stats[keep, cv2.CC_STAT_HEIGHT], centres[keep]
        if len(height) < LETTERS:
            return False
        typical = float(np.median(height))
        level = np.abs(centres[:, 1] - np.median(centres[:, 1])) <= typical / 2
        return int((level & (np.abs(height - typical) <= typical / 3)).sum()) >= LETTERS

    def _seen(self, region: _Region) -> float:
        """Return the mean saliency of a region."""
        rows, columns = np.nonzero(region.mask)
        step = max(1, len(rows) // SAMPLES)
        height, width = self._graphic.alpha.shape
        saliency = self._look().saliency
        cells = saliency.shape
        y = ((rows[::step] + region.box[0].start + 0.5) * cells[0] / height).astype(int)
        x = ((columns[::step] + region.box[1].start + 0.5) * cells[1] / width).astype(int)
        return float(saliency[y.clip(0, cells[0] - 1), x.clip(0, cells[1] - 1)].mean())


def _is_round(region: _Region) -> bool:
    """Return whether a region fills its convex hull, as the inside of a ring or a chain does."""
    hull = cv2.convexHull(cv2.findNonZero(region.mask))
    return int(np.count_nonzero(_whole(region.mask))) >= ROUND * cv2.contourArea(hull)


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
