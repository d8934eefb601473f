"""Decide whether an enclosed region of the ground's colour is subject or an opening."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.graphic import Graphic
from bgremove.matting.ink import outside
from bgremove.matting.ink_pieces import Ink, is_neutral
from bgremove.matting.line_drawings import LineDrawings, Rim
from bgremove.matting.masks import sampled, square
from bgremove.matting.regions import Region, padded, whole_of

BRIGHT = 240  # levels: a ground that labels, screens and shirts may share
DARK = 64  # levels: an ink without a brighter channel passes for black
FRAME_SHARE = 0.3  # of the area inside a piece: an opening this large makes it a frame or a chain
RECTANGLE = 0.93  # of its box: a region that fills this much is a rectangle
RIM = 0.12  # of a screen's shorter side: the widest bezel
EDGE = 9  # px: a sharp edge reaches its full contrast within half of this
SOFT = 0.4  # of the contrast of the outer edge: less at the edge of a region is shading
SLIVER = 3.0  # px: half the width of slivers that JPEG splits off at the outline of a pale thing
UNSURE = 0.2, 0.8  # saliency between these decides nothing
SAMPLES = 400  # pixels of a region at which the map is read
ONE_SQUARE = 0.15  # of a region that may have the other square's colour


class SaliencyMap(Protocol):
    """A network's map of a picture."""

    @property
    def saliency(self) -> ArrayF32:
        """float32 (S, S) in [0, 1], stretched over the whole picture."""

    @property
    def has_subject(self) -> bool:
        """Whether something stands out in the map."""


class Judge:
    """Decisions on enclosed regions, made one by one, largest first.

    ``subject`` holds the labels of the regions that are kept as subject.
    """

    def __init__(self, bgr: ImageU8, graphic: Graphic, look: Callable[[], SaliencyMap]) -> None:
        self.subject: list[int] = []
        self._graphic, self._look = graphic, look
        self._ink = Ink(bgr, graphic)
        self._drawings = LineDrawings(self._ink, graphic)
        self._outer: float | None = None
        plain = graphic.ground.plain
        self._may_be_label = plain is not None and min(plain) >= BRIGHT
        # Letters, marks and stamps have one exact ink that is not neutral.
        colour, is_exact = graphic.ink, graphic.noise <= 1
        self._is_coloured_ink = colour is not None and is_exact and not is_neutral(colour, 0)

    def measure(self, regions: list[Region]) -> None:
        """Measure all regions; called before the first decision."""
        self._drawings.measure(regions)

    def is_shading(self, region: Region) -> bool:
        """Keep a region whose edge is softer than the subject's; return whether it is kept.

        Highlights and folds have such edges.
        """
        rows, columns = region.box
        by = EDGE // 2
        box = (
            slice(max(0, rows.start - by), rows.stop + by),
            slice(max(0, columns.start - by), columns.stop + by),
        )
        contrast = cv2.dilate(self._graphic.distance[box], square(EDGE))
        top, left = rows.start - box[0].start, columns.start - box[1].start
        mask = region.mask
        contrast = contrast[top : top + mask.shape[0], left : left + mask.shape[1]]
        edge = (cv2.erode(padded(mask), square(3))[1:-1, 1:-1] == 0) & (mask != 0)
        if float(np.median(contrast[edge])) >= SOFT * self._outer_contrast():
            return False
        self.subject.append(region.label)
        return True

    def _outer_contrast(self) -> float:
        """Return the median contrast at the edge between the subject and the open ground."""
        if self._outer is None:
            open_ = outside((self._ink.labels > 0).view(np.uint8)).view(np.uint8)
            edge = (open_ != 0) & (cv2.erode(open_, square(3)) == 0)
            contrast = cv2.dilate(self._graphic.distance, square(EDGE))[edge]
            self._outer = float(np.median(contrast)) if contrast.size else 0.0
        return self._outer

    def on_board(self, region: Region) -> bool:
        """Decide on a region of a checkerboard; return whether the decision is sure.

        Only a region of one square's colour, enclosed by ink of several colours, may be kept.
        """
        ground = self._graphic.ground
        shown = ground.bgr[region.box][region.mask != 0].max(axis=1)
        light = float((shown > shown.mean()).mean()) if np.ptp(shown) else 0.0
        if ONE_SQUARE < light < 1 - ONE_SQUARE or self._graphic.ink is not None:
            return True
        seen = self._seen(region)
        if region.area >= ground.cell**2 / 2 or seen >= 0.5:
            self.subject.append(region.label)
        return not UNSURE[0] < seen < UNSURE[1]

    def on_white(self, region: Region) -> bool:
        """Decide on a region of a pale ground; return whether the decision is sure."""
        rim = self._drawings.rim(region)
        if rim is None or self._drawings.is_mesh(rim.label):
            return True
        whole = whole_of(rim.mask)
        within = self._drawings.within(rim)
        drawn = self._drawings.encloses(region, rim, within)
        if drawn:
            self._drawings.add(rim, whole)
            self.subject.append(region.label)
            return True
        if self._is_coloured_ink or not self._may_be_label:
            return drawn is not None
        piece = self._ink.piece(rim.label)
        other = self._ink.holds_other_ink(rim.box, within, rim.colour)
        if region.area >= FRAME_SHARE * (region.area + piece.area):
            sure = self._settle_wide(region, rim, whole, other, bool(within.any()))
            if sure is not None:
                return sure and drawn is not None
        if piece.flat and not other:
            return True
        seen = self._seen(region)
        sliver = not piece.flat and rim.room <= SLIVER and self._graphic.noise > 1
        if seen >= (0.3 if other else UNSURE[0] if sliver else 0.5):
            self.subject.append(region.label)
        return sliver or (not UNSURE[0] < seen < UNSURE[1] and drawn is not None)

    def _settle_wide(
        self,
        region: Region,
        rim: Rim,
        whole: ImageU8,
        other: bool,
        holds_ink: bool,
    ) -> bool | None:
        """Decide if a wide region is a screen or a frame's opening; return whether that is sure.

        Return None where ink of another colour lies in a frame.
        """
        height, width = region.size
        fills = np.count_nonzero(whole) / (height * width)
        is_screen = self._is_black(rim.colour) and fills >= RECTANGLE
        # The rim of a screen is narrow, and that of most frames is not.
        is_narrow = is_screen and self._ink.rim(region, rim.label) <= RIM * min(region.size)
        if other:
            if is_narrow:  # a screen that shows something
                self.subject.append(region.label)
            return True if is_narrow else None
        if not is_screen or holds_ink:
            return True
        if is_narrow or self._seen(region) >= 0.5:
            self.subject.append(region.label)
        return False

    def _is_black(self, colour: ArrayF32) -> bool:
        """Return whether a colour is that of a screen's bezel."""
        dark = self._graphic.ink is None and float(colour.max()) <= DARK
        return dark or is_neutral(colour, self._graphic.noise)

    def _seen(self, region: Region) -> float:
        """Return the mean saliency of a region."""
        rows, columns = sampled(region.mask, SAMPLES)
        height, width = self._graphic.alpha.shape
        saliency = self._look().saliency
        cells = saliency.shape
        y = ((rows + region.box[0].start + 0.5) * cells[0] / height).astype(int)
        x = ((columns + region.box[1].start + 0.5) * cells[1] / width).astype(int)
        return float(saliency[y.clip(0, cells[0] - 1), x.clip(0, cells[1] - 1)].mean())
