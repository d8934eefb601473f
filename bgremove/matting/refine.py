"""The saliency map brought to the picture's full size, its edges on the picture's edges."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.guided import linear_model
from bgremove.matting.pyramid import enlarge, halvings, shrink
from bgremove.matting.solid import fill_inside
from bgremove.matting.tiles import Tile, for_each, tiles

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, ImageU8
    from bgremove.matting.tiles import Window

RADIUS = 1.5  # cells of the saliency map: how far off its edges are
WORK_SIDE = 1280  # px: models of colour are fitted on pictures between half and all of this
FOG = 0.15  # filtered alpha up to here is fog over the background
SOLID = 0.95  # filtered alpha from here on is the solid subject
SURE = 0.02  # saliency this near to 0 or 1 is certain: nothing is fitted where all of it is
TILE = 160  # px at working size: skips most of a picture; below it, calls cost more than pixels


def refine(saliency: ArrayF32, bgr: ImageU8) -> ArrayF32:
    """Upsample a saliency map along the edges of its picture.

    A guided filter with colour as its guide: fitted at reduced size, applied at full size, both
    only in tiles that hold something uncertain. Then fog becomes exactly 0, what is nearly solid
    exactly 1.

    :param saliency: float32 (S, S) in [0, 1], stretched over the whole picture.
    :param bgr: uint8 (H, W, 3), the picture.
    :return: alpha matte, float32 (H, W) in [0, 1].

    Source: He, Sun, Tang, "Guided Image Filtering", PAMI 2013, doi:10.1109/TPAMI.2012.213; He, Sun,
    "Fast Guided Filter", arXiv:1505.00996.
    """
    height, width = bgr.shape[:2]
    cells_y, cells_x = saliency.shape
    # A model of colour needs about two pixels to a cell, else it blurs what the map knew.
    level = halvings(max(height, width), max(WORK_SIDE, 2 * max(cells_x, cells_y)))
    guide = shrink(bgr, level)
    scale = 1 << level
    prior = _stretch(
        fill_inside(saliency), scale * cells_x / width, scale * cells_y / height, guide
    )
    reach = (
        max(1, round(RADIUS * width / scale / cells_x)),
        max(1, round(RADIUS * height / scale / cells_y)),
    )
    alpha = np.zeros((height, width), np.float32)

    def fill(tile: Tile) -> None:
        near = prior[tile.outer]
        window = tile.scaled(scale, height, width)
        low, high, _, _ = cv2.minMaxLoc(near)
        if low >= 1 - SURE:
            alpha[window] = 1
        elif high > SURE:
            model = _sharpened(linear_model(near, guide[tile.outer], reach))
            at = tile.within(scale, window)
            alpha[window] = _evaluate(model, bgr[window], at, scale)

    for_each(fill, tiles(guide.shape[0], guide.shape[1], TILE, margin=2 * max(reach) + 1))
    return alpha


def _stretch(saliency: ArrayF32, step_x: float, step_y: float, guide: ImageU8) -> ArrayF32:
    """Resample a map under the guide's pixel centres, cubic, float32 in [0, 1]."""
    matrix = np.array([[step_x, 0, step_x / 2 - 0.5], [0, step_y, step_y / 2 - 0.5]])
    prior = cv2.warpAffine(
        saliency,
        matrix,
        guide.shape[1::-1],
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return prior.clip(0, 1)


def _sharpened(model: list[ArrayF32]) -> list[ArrayF32]:
    """Make FOG the model's new 0 and SOLID its new 1, and its colours uint8."""
    gain = np.float32(1 / (SOLID - FOG))
    slopes = [plane * (gain / 255) for plane in model[:3]]
    return [*slopes, (model[3] - np.float32(FOG)) * gain]


def _evaluate(model: list[ArrayF32], bgr: ImageU8, at: Window, scale: int) -> ArrayF32:
    """Return alpha as the model at ``scale`` times its size, cut at ``at``, says of the pixels."""
    alpha = enlarge(model[3], at, scale).copy()
    for plane, channel in zip(model[:3], cv2.split(bgr), strict=True):
        alpha += enlarge(plane, at, scale) * channel
    return alpha.clip(0, 1, out=alpha)
