"""The alpha of a graphic, from its ground's colour, and from a network where that is unclear."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.enclosed import Enclosed, is_white, settle_enclosed
from bgremove.matting.enclosed_judge import SaliencyMap
from bgremove.matting.graphic import Graphic, read_graphic
from bgremove.matting.ground import find_ground
from bgremove.matting.masks import PatternError, pieces, square
from bgremove.matting.pyramid import shrink, stretched
from bgremove.matting.refine import refine
from bgremove.matting.tiles import strips

SURE = 0.98  # confidence where colours alone decide
NOISY = 0.97  # confidence on a ground with noise of JPEG or a camera
FAINT = 0.7  # confidence where a part of the subject is hardly clearer than the noise
CLEAR = 4.0  # times the ground's noise: ink below this is faint
UNSURE = 0.55  # confidence where half of the subject might as well be ground
APART = 0.85  # confidence where a network sees another subject in a photograph
PAGE = 0.3  # confidence where the subject is a page's text
MOST_PIXELS = 8_000_000  # a larger picture is halved: its labels would take 4 bytes a pixel
AGREE = 0.8  # IoU from which the colours and the network show the same subject
WITHIN = 0.85  # of the colours' subject that must lie inside the network's
OPENING = 0.01  # of a photographed subject: the network decides smaller openings
MISSED = 0.1  # of a piece: with less of it seen, the network misses it
BESIDE = 7  # px: an opening's edge, to both sides
PAGE_PIECES = 60  # a word or a mark has fewer
PAGE_HEIGHT = 0.06  # of the shorter side: the height of most pieces on a page
PAGE_LARGEST = 0.1  # of all ink: a larger piece is not text
PAGE_SPREAD = 0.5  # of the box around all pieces that lines of text cover


@dataclass(frozen=True, slots=True, eq=False)
class Exact:
    """The ``alpha`` of a graphic, float32 (H, W) in [0, 1], and its ``confidence`` in [0, 1]."""

    alpha: ArrayF32
    confidence: float


def graphic_alpha(bgr: ImageU8, look: Callable[[], SaliencyMap]) -> Exact | None:
    """Compute the alpha of a picture that is a graphic; None for photographs.

    Large pictures are processed at half their size or less.

    Args:
        bgr: uint8 (H, W, 3), the picture.
        look: runs a network; called only where colours do not decide. A page of text in which a
            network sees no subject has none.
    """
    height, width = bgr.shape[:2]
    level = halvings_of(width, height)
    step = 1 << level
    if level and find_ground(bgr[::step, ::step]) is None:
        return None  # checked before halving, which photographs do not need
    try:
        exact = _read(shrink(bgr, level), look)
    except PatternError:
        return None
    if exact is None or not level:
        return exact
    return Exact(stretched(exact.alpha, (height, width)), exact.confidence)


def halvings_of(width: int, height: int) -> int:
    """Return how often a picture is halved before it is read as a graphic."""
    level = 0
    while (height >> level) * (width >> level) > MOST_PIXELS:
        level += 1
    return level


def _read(bgr: ImageU8, look: Callable[[], SaliencyMap]) -> Exact | None:
    """Compute the alpha of a picture that is a graphic, at its own size; see `graphic_alpha`."""
    graphic = read_graphic(bgr)
    if graphic is None:
        return None
    if _is_page(graphic.alpha):
        return Exact(graphic.alpha, PAGE) if look().has_subject else None
    return exact_alpha(bgr, graphic, look)


def exact_alpha(bgr: ImageU8, graphic: Graphic, look: Callable[[], SaliencyMap]) -> Exact:
    """Compute the alpha of a graphic.

    Args:
        bgr: uint8 (H, W, 3), the picture.
        graphic: the graphic read from it.
        look: runs a network; called only where colours do not decide.
    """
    # Before the openings are settled: that fills the graphic's alpha.
    sure = SURE if graphic.noise <= 1 else FAINT if _is_faint(graphic) else NOISY
    enclosed = settle_enclosed(bgr, graphic, look)
    sure -= (sure - UNSURE) * min(1.0, 2 * enclosed.doubt)
    if graphic.flat:
        return Exact(enclosed.alpha, sure)
    seen = refine(look().saliency, bgr)
    openings = _large(enclosed)
    ours, theirs = enclosed.alpha > 0.5, (seen > 0.5) & (openings == 0)
    union = np.count_nonzero(ours | theirs)
    both = np.count_nonzero(ours & theirs)
    if both < AGREE * union:
        if is_white(graphic.ground) and both >= WITHIN * np.count_nonzero(ours):
            return Exact(seen, UNSURE)  # a bright thing on white: its colours show only a part
        return Exact(enclosed.alpha, min(sure, APART))
    here = cv2.dilate(openings, square(BESIDE)) != 0
    here |= _missed(ours, theirs)
    return Exact(np.where(here, enclosed.alpha, seen), sure)


def _is_page(alpha: ArrayF32) -> bool:
    """Return whether a graphic is a page of text: many small pieces in rows, without a subject."""
    ink = (alpha >= 0.5).view(np.uint8)
    _, stats = pieces(ink, connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    if len(stats) <= PAGE_PIECES or areas.max() > PAGE_LARGEST * areas.sum():
        return False
    height = float(np.median(stats[1:, cv2.CC_STAT_HEIGHT]))
    if height > PAGE_HEIGHT * min(alpha.shape):
        return False
    left, top, width, tall = cv2.boundingRect(ink)
    side = 2 * round(height) + 1
    lines = cv2.dilate(ink[top : top + tall, left : left + width], square(side))
    return cv2.countNonZero(lines) >= PAGE_SPREAD * width * tall


def _missed(ours: NDArray[np.bool_], theirs: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the pieces of ``ours``, with their edges, that a network misses."""
    labels, stats = pieces(ours.view(np.uint8), connectivity=8)
    seen = np.zeros(len(stats), np.intp)
    for rows in strips(*ours.shape):
        seen += np.bincount(labels[rows][theirs[rows]], minlength=len(stats))
    missed = seen < MISSED * stats[:, cv2.CC_STAT_AREA]
    missed[0] = False
    return np.asarray(cv2.dilate(missed[labels].view(np.uint8), square(3)) != 0, np.bool_)


def _is_faint(graphic: Graphic) -> bool:
    """Return whether a tenth of the ink's peaks is hardly above the ground's noise."""
    distance = graphic.distance
    least = cv2.dilate(distance, square(5)) * np.float32(0.9)
    peaks = (distance >= least) & (graphic.alpha > 0.3)
    levels = distance[peaks]
    return not levels.size or bool(np.percentile(levels, 10) < CLEAR * graphic.noise)


def _large(enclosed: Enclosed) -> ImageU8:
    """Return the openings without pinholes, uint8 0 or 1."""
    labels, stats = pieces(enclosed.openings, connectivity=4)
    least = OPENING * np.count_nonzero(enclosed.alpha > 0.5)
    keep = stats[:, cv2.CC_STAT_AREA] >= least
    keep[0] = False
    return np.asarray(keep[labels], np.uint8)
