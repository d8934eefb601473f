"""Upsample the saliency map to the picture's full size, aligned with the picture's edges."""

from __future__ import annotations

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, ImageHeader, ImageU8
from bgremove.matting.doubt import resolve_doubt
from bgremove.matting.guided import linear_model
from bgremove.matting.pieces import drop_ghosts, drop_specks, fill_dips
from bgremove.matting.pyramid import enlarge, halvings, shrink
from bgremove.matting.tiles import Tile, Window, for_each, narrowed, tile_at, tiles

RADIUS = 1.5  # cells of the saliency map: the error of its edges
# px: colour models are fitted at a size between half of this and this. With less than two pixels to
# a cell of U2-Net's map, large pictures lose .01 of boundary F.
WORK_SIDE = 1280
WHOLE_SIDE = 480  # px: a longer picture is halved at least once; boundary F .6527, unhalved .6518
FOG = 0.15  # filtered alpha up to here is fog over the background
SOLID = 0.95  # filtered alpha from here on is the solid subject
SURE = 0.02  # saliency this near to 0 or 1 is certain: nothing is fitted where all of it is
TILE = 160  # px at working size: most tiles are skipped; smaller ones cost more in calls


def refine(saliency: ArrayF32, bgr: ImageU8) -> ArrayF32:
    """Upsample a saliency map along the edges of its picture.

    Pieces that are faint all over are cleared first. A guided filter with colour as its guide is
    fitted at reduced size and applied at full size, both only in tiles with uncertain pixels. Then
    fog becomes exactly 0, and nearly solid alpha exactly 1.

    Args:
        saliency: float32 (S, S) in [0, 1], stretched over the whole picture.
        bgr: uint8 (H, W, 3), the picture.

    Returns:
        Alpha matte, float32 (H, W) in [0, 1].

    Source: He, Sun, Tang, "Guided Image Filtering", PAMI 2013, doi:10.1109/TPAMI.2012.213; He, Sun,
    "Fast Guided Filter", arXiv:1505.00996.
    """
    height, width = bgr.shape[:2]
    cells_y, cells_x = saliency.shape
    side = max(height, width)
    level = max(halvings(side, WORK_SIDE), int(side > WHOLE_SIDE))
    guide = shrink(bgr, level)
    scale = 1 << level
    step = scale * cells_x / width, scale * cells_y / height
    prior = _stretch(resolve_doubt(fill_dips(drop_ghosts(saliency, FOG)), guide), step, guide)
    rows, columns = prior.shape
    reach = max(1, round(RADIUS / step[0])), max(1, round(RADIUS / step[1]))
    margin = 2 * max(reach) + 1
    alpha = np.empty((height, width), np.float32)

    def fill(tile: Tile) -> None:
        window = tile.scaled(scale, height, width)
        alpha[window] = _certain(prior[tile.inner], alpha[window].shape)
        near = prior[tile.outer]
        unsure = ((near > SURE) & (near < 1 - SURE)).view(np.uint8)
        part = narrowed(tile, unsure, margin)
        if part is None:
            return
        tile = tile_at(part, rows, columns, margin)
        window = tile.scaled(scale, height, width)
        model = _sharpened(linear_model(prior[tile.outer], guide[tile.outer], reach))
        alpha[window] = _evaluate(model, bgr[window], tile.within(scale, window), scale)

    for_each(fill, tiles(rows, columns, TILE, margin))
    drop_specks(alpha)
    return alpha


def _certain(prior: ArrayF32, size: tuple[int, ...]) -> ArrayF32:
    """Round the prior to 0 or 1 in each pixel, at ``size`` (rows, columns)."""
    sure = (prior > 0.5).astype(np.float32)
    large = cv2.resize(sure, (size[1], size[0]), interpolation=cv2.INTER_NEAREST)
    return np.asarray(large, np.float32)


def _stretch(saliency: ArrayF32, step: tuple[float, float], guide: ImageU8) -> ArrayF32:
    """Resample a map at the guide's pixel centres, ``step`` cells apart (x, y).

    Interpolation is cubic. The result is float32 in [0, 1]. The guide may lack the last pixels of a
    halved picture.

    IPP is disabled for this call: it splits the map into as many strips as there are free threads
    and rounds differently at their seams (3e-7). Under load the same picture gave other bytes.
    """
    height, width = guide.shape[:2]
    # A side of less than half a pixel would round to 0.
    fx, fy = (max(1 / s, 0.6 / n) for s, n in zip(step, saliency.shape[::-1], strict=True))
    uses_ipp = cv2.ipp.useIPP()
    cv2.ipp.setUseIPP(False)  # in this thread only
    try:
        large = cv2.resize(saliency, None, fx=fx, fy=fy, interpolation=cv2.INTER_CUBIC)
    finally:
        cv2.ipp.setUseIPP(uses_ipp)
    prior: ArrayF32 = np.clip(large[:height, :width], 0, 1, dtype=np.float32)
    return prior


def _sharpened(model: list[ArrayF32]) -> list[ArrayF32]:
    """Scale the model so that FOG becomes 0 and SOLID 1, for colours in uint8."""
    gain = np.float32(1 / (SOLID - FOG))
    slopes = [plane * (gain / 255) for plane in model[:3]]
    return [*slopes, (model[3] - np.float32(FOG)) * gain]


def _evaluate(model: list[ArrayF32], bgr: ImageU8, at: Window, scale: int) -> ArrayF32:
    """Return the alpha of pixels under the model, enlarged ``scale`` times and cut at ``at``."""
    alpha = enlarge(model[3], at, scale).copy()
    for plane, channel in zip(model[:3], cv2.split(bgr), strict=True):
        alpha += enlarge(plane, at, scale) * channel
    return alpha.clip(0, 1, out=alpha)


def at_full_size(matte: ArrayF32, header: ImageHeader) -> ArrayF32:
    """Enlarge the matte of a picture that was decoded at reduced size to the size of its file."""
    if header.reduction == 1:
        return matte
    by, (width, height) = header.reduction, header.size
    large = cv2.resize(matte, None, fx=by, fy=by, interpolation=cv2.INTER_LINEAR)
    return np.asarray(large[:height, :width], np.float32)
