"""Estimate the subject's colours at its edge, without the old background."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, DecodedImage, ImageU8
from bgremove.matting.masks import square
from bgremove.matting.pyramid import halvings, shrink
from bgremove.matting.tiles import Tile, for_each, narrowed, strips, tile_at, tiles
from bgremove.matting.unmix import MAX_POINTS, REACH, Layer, local_layer, unmix

WORK_SIDE = 1000  # px: local colours are gathered at a size between half of this and this
WHOLE_SIDE = 600  # px: a longer picture is halved at least once; 5 % of the error for half the time
COARSEST = 40  # px: the longest side of the smallest picture; a window then spans a sixth of it
TILE = 128  # px at working size: most tiles are skipped; smaller ones cost more in calls
HALF_STEP = np.float32(0.5 / 255)  # of alpha: values that round to 0 or 255 are not mixed
HIDDEN_REACH = 16  # divides the longer side: how far colours of transparent pixels may spread
HIDDEN_SIDE = 512  # px: the distance is measured at this size; at full size it costs seconds


def subject_colours(image: DecodedImage, matte: ArrayF32) -> ImageU8:
    """Return the colours of a picture, unmixed at the edge of its subject, BGR uint8 (H, W, 3).

    ``matte`` is float32 (H, W) in [0, 1]. Pixels that are transparent in the picture itself are
    unmixed already and stay as they are. So do pixels near them, because colours hidden under
    transparency would be mistaken for a background.
    """
    bgr = estimate_foreground(image.bgr, matte)
    if image.alpha is not None:
        cv2.copyTo(image.bgr, _near_transparency(image.alpha), bgr)
    return bgr


def estimate_foreground(bgr: ImageU8, alpha: ArrayF32) -> ImageU8:
    """Unmix the subject's own colour where alpha is partial.

    From coarse to fine, each pixel is split into the local colours of subject and background.

    Args:
        bgr: uint8 (H, W, 3), the picture.
        alpha: matte, float32 (H, W) in [0, 1].

    Returns:
        uint8 (H, W, 3): the picture's own pixels where alpha rounds to 0 or 255.

    Source: after Forte, "Approximate Fast Foreground Colour Estimation", ICIP 2021: weighted box
    means, large windows first. Its fixed weights are replaced by local variances, see ``unmix``.
    """
    height, width = alpha.shape
    level = max(halvings(max(height, width), WORK_SIDE), int(max(height, width) > WHOLE_SIDE))
    fore, back = _layers(shrink(bgr, level), shrink(alpha, level))
    result = bgr.copy()

    def fill(rows: slice) -> None:
        share, seen, made = alpha[rows].ravel(), bgr[rows].reshape(-1, 3), result[rows]
        partial = np.flatnonzero((share > HALF_STEP) & (share < 1 - HALF_STEP))
        for first in range(0, len(partial), MAX_POINTS):
            points = partial[first : first + MAX_POINTS]
            y, x = np.divmod(points, width)
            at = _on_small(x, level), _on_small(y + rows.start, level)
            observed = seen.take(points, axis=0)[:, np.newaxis].astype(np.float32)
            mine = share.take(points)[:, np.newaxis]
            ours, _ = unmix(observed, mine, fore.at(*at), back.at(*at))
            made[y, x] = cv2.convertScaleAbs(ours.clip(0))[:, 0]

    for_each(fill, strips(height, width))
    return result


def _layers(bgr: ImageU8, alpha: ArrayF32) -> tuple[Layer, Layer]:
    """Return subject and background around the soft edge, estimated at increasing sizes."""
    count = halvings(max(alpha.shape), COARSEST)
    colours, share = shrink(bgr, count).astype(np.float32), shrink(alpha, count)
    fore, back = local_layer(colours, share), local_layer(colours, 1 - share)
    for level in range(count - 1, 0, -1):
        share = shrink(alpha, level)
        whole = (slice(0, share.shape[0]), slice(0, share.shape[1]))
        doubled = fore.window(whole, 2), back.window(whole, 2)
        fore, back = _finer(shrink(bgr, level), share, *doubled, REACH)
    return _finest(bgr, alpha, fore, back) if count else (fore, back)


def _finest(bgr: ImageU8, alpha: ArrayF32, fore: Layer, back: Layer) -> tuple[Layer, Layer]:
    """Return subject and background at full size, in the tiles that contain a soft edge."""
    height, width = alpha.shape
    margin = 2 * REACH
    made = Layer.empty(height, width), Layer.empty(height, width)

    def fill(tile: Tile) -> None:
        share = alpha[tile.outer]
        part = narrowed(tile, _is_mixed(share), 1)
        if part is None:
            return
        tile = tile_at(part, height, width, margin)
        share = alpha[tile.outer]
        doubled = fore.window(tile.outer, 2), back.window(tile.outer, 2)
        # The finest level uses smaller windows.
        found = _finer(bgr[tile.outer], share, *doubled, REACH - 1)
        for layer, near in zip(made, found, strict=True):
            layer.put(part, near.window(tile.within(1, part), 1))

    for_each(fill, tiles(height, width, TILE, margin))
    return made


def _finer(
    bgr: ImageU8, alpha: ArrayF32, fore: Layer, back: Layer, reach: int
) -> tuple[Layer, Layer]:
    """Return subject and background around each pixel, refined from those of a coarser level."""
    ours, theirs = unmix(bgr.astype(np.float32), alpha, fore, back)
    return local_layer(ours, alpha, reach), local_layer(theirs, 1 - alpha, reach)


def _is_mixed(alpha: ArrayF32) -> ImageU8:
    return ((alpha > 0) & (alpha < 1)).view(np.uint8)


def _on_small(positions: NDArray[np.int64], level: int) -> ArrayF32:
    """Return the positions of pixel centres in a picture halved ``level`` times, float32 (N, 1)."""
    return ((positions + 0.5) / (1 << level) - 0.5).astype(np.float32)[:, np.newaxis]


def _near_transparency(alpha: ArrayF32) -> ImageU8:
    """Mark pixels within HIDDEN_REACH of a pixel that is not opaque, found at reduced size."""
    hidden = np.asarray(alpha < 1, np.uint8)
    while max(hidden.shape) > HIDDEN_SIDE:
        hidden = cv2.dilate(hidden, square(3))[::2, ::2]  # type: ignore[assignment]
    side = 2 * (max(hidden.shape) // HIDDEN_REACH) + 3
    near = cv2.dilate(hidden, square(side))
    size = (alpha.shape[1], alpha.shape[0])
    return np.asarray(cv2.resize(near, size, interpolation=cv2.INTER_NEAREST), np.uint8)
