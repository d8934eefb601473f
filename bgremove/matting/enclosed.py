"""Enclosed regions of the ground's colour: openings, or parts of the subject.

The opening of a letter, a chain, a frame or a handle is ground. A white label, screen or shirt on
white has the ground's colour too but is subject. So is the area inside the lines of a drawing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.enclosed_judge import Judge, SaliencyMap
from bgremove.matting.graphic import Graphic
from bgremove.matting.ground import Ground
from bgremove.matting.regions import enclosed_regions

WHITE = 250  # least level of a ground whose colour highlights may share
PALE = 200  # least level of a ground whose colour drawings may share; higher for labels and screens
OPENING, SUBJECT = 1, 2  # kinds of enclosed regions


@dataclass(frozen=True, slots=True, eq=False)
class Enclosed:
    """An alpha matte after the decisions on its enclosed regions.

    ``alpha`` is float32 (H, W) in [0, 1], with enclosed parts of the subject filled. ``openings``
    is uint8 (H, W), 1 where enclosed ground shows through the subject. ``doubt`` is the area of
    uncertain decisions as a share of the subject's area.
    """

    alpha: ArrayF32
    openings: ImageU8
    doubt: float


def settle_enclosed(bgr: ImageU8, graphic: Graphic, look: Callable[[], SaliencyMap]) -> Enclosed:
    """Decide for each enclosed region of the ground's colour whether it is subject.

    Regions of the subject are filled in ``graphic.alpha`` itself. Raises PatternError where there
    are too many regions.

    Args:
        bgr: uint8 (H, W, 3), the picture.
        graphic: the graphic read from it.
        look: runs a network; called only where colours do not decide.
    """
    alpha = graphic.alpha
    kinds, doubtful = _kinds(bgr, graphic, look)
    if kinds.max(initial=0) == SUBJECT:
        _fill(alpha, kinds == SUBJECT)
    openings = (kinds == OPENING).view(np.uint8)
    return Enclosed(alpha, openings, doubtful / max(1, int(np.count_nonzero(alpha > 0.5))))


def _kinds(bgr: ImageU8, graphic: Graphic, look: Callable[[], SaliencyMap]) -> tuple[ImageU8, int]:
    """Return OPENING or SUBJECT for each pixel of an enclosed region, 0 for all others.

    The second value is the area of uncertain decisions.
    """
    regions, labels = enclosed_regions(graphic.alpha)
    judge = Judge(bgr, graphic, look)
    doubtful, may_share, board = 0, _may_share(graphic), bool(graphic.ground.cell)
    parts = [region for region in regions if board or not judge.is_shading(region)]
    if may_share and not board:
        judge.measure(parts)
    for region in parts:
        if may_share:
            sure = judge.on_board(region) if board else judge.on_white(region)
            doubtful += 0 if sure else region.area
    kind = np.zeros(int(labels.max()) + 1, np.uint8)
    kind[[region.label for region in regions]] = OPENING
    kind[judge.subject] = SUBJECT
    return kind[labels], doubtful


def is_white(ground: Ground) -> bool:
    """Return whether a ground is white, as labels, screens, shirts and highlights are."""
    return ground.plain is not None and min(ground.plain) >= WHITE


def _may_share(graphic: Graphic) -> bool:
    """Return whether parts of the subject may have exactly the ground's colour."""
    if graphic.ground.cell:
        return True
    return graphic.ground.plain is not None and min(graphic.ground.plain) >= PALE


def _fill(alpha: ArrayF32, inside: NDArray[np.bool_]) -> None:
    """Set alpha to 1 within ``inside`` and on the nearer half of its outline, in place."""
    to_inside = cv2.distanceTransform((~inside).view(np.uint8), cv2.DIST_L2, 3)
    ground = (alpha < 0.5) & ~inside
    to_ground = cv2.distanceTransform((~ground).view(np.uint8), cv2.DIST_L2, 3)
    alpha[inside | (to_inside < to_ground)] = 1
