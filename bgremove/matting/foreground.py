"""Edge colours freed from the old background."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.pyramid import halvings, shrink
from bgremove.matting.tiles import Tile, for_each, tiles
from bgremove.matting.unmix import REACH, Layer, local_layer, unmix

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, ImageU8
    from bgremove.matting.tiles import Window
    from bgremove.matting.unmix import Planes

WORK_SIDE = 1280  # px: local colours are gathered on pictures between half and all of this
HALF_STEP = 0.5 / 255  # of alpha: what 8 bits will hold as 0 or 255 is no mixture
COARSEST = 40  # px: the longest side of the smallest picture; a window then spans a sixth of it
TILE = 128  # px at working size: skips most of a picture; below it, calls cost more than pixels


def estimate_foreground(bgr: ImageU8, alpha: ArrayF32) -> ImageU8:
    """Unmix the subject's own colour where alpha is partial.

    From coarse to fine, each pixel is split between subject and background as both look around it.

    :param bgr: uint8 (H, W, 3), the picture.
    :param alpha: matte, float32 (H, W) in [0, 1].
    :return: uint8 (H, W, 3): the picture's own pixels where alpha is 0 or 1 to 8 bits.

    Source: after Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021: weighted box
    means, large windows first. Its fixed weights are replaced by local variances, see ``unmix``.
    """
    height, width = alpha.shape
    level = halvings(max(height, width), WORK_SIDE)
    scale = 1 << level
    small, share = shrink(bgr, level), shrink(alpha, level)
    fore, back = _coarse_layers(shrink(small, 1), shrink(share, 1))
    result = bgr.copy()

    def fill(tile: Tile) -> None:
        window = _partial(alpha, tile.scaled(scale, height, width))
        if window is None:
            return
        near = share[tile.outer]
        fine = _layers(
            small[tile.outer], near, fore.window(tile.outer, 2), back.window(tile.outer, 2)
        )
        at = tile.within(scale, window)
        part = alpha[window]
        ours, theirs = (layer.window(at, scale) for layer in fine)
        colours = _pixels(unmix(_planes(bgr[window]), part, ours, theirs))
        cv2.copyTo(colours, _is_partial(part), result[window])

    for_each(fill, tiles(share.shape[0], share.shape[1], TILE, margin=2 * REACH))
    return result


def _coarse_layers(bgr: ImageU8, alpha: ArrayF32) -> tuple[Layer, Layer]:
    """Return subject and background around each pixel, found on ever larger pictures."""
    count = halvings(max(alpha.shape), COARSEST)
    share = shrink(alpha, count)
    mixed = _planes(shrink(bgr, count))
    fore, back = local_layer(mixed, share), local_layer(mixed, 1 - share)
    for level in range(count - 1, -1, -1):
        share = shrink(alpha, level)
        whole = (slice(0, share.shape[0]), slice(0, share.shape[1]))
        fore, back = _layers(
            shrink(bgr, level), share, fore.window(whole, 2), back.window(whole, 2)
        )
    return fore, back


def _layers(bgr: ImageU8, alpha: ArrayF32, fore: Layer, back: Layer) -> tuple[Layer, Layer]:
    """Return subject and background around each pixel, given both as seen on a smaller picture."""
    mixed, rest = _planes(bgr), 1 - alpha
    return (
        local_layer(unmix(mixed, alpha, fore, back), alpha),
        local_layer(unmix(mixed, rest, back, fore), rest),
    )


def _partial(alpha: ArrayF32, window: Window) -> Window | None:
    """Shrink a window to the pixels in it whose alpha is partial; None when there are none."""
    left, top, width, height = cv2.boundingRect(_is_partial(alpha[window]))
    if not width:
        return None
    top, left = top + window[0].start, left + window[1].start
    return slice(top, top + height), slice(left, left + width)


def _is_partial(alpha: ArrayF32) -> ImageU8:
    return ((alpha > HALF_STEP) & (alpha < 1 - HALF_STEP)).view(np.uint8)


def _planes(bgr: ImageU8) -> Planes:
    return [plane.astype(np.float32) for plane in cv2.split(bgr)]


def _pixels(planes: Planes) -> ImageU8:
    """Merge planes to uint8 (h, w, 3), rounded and saturated."""
    merged = np.asarray(cv2.merge(planes), np.float32)
    return np.asarray(np.rint(merged.clip(0, 255)), np.uint8)
