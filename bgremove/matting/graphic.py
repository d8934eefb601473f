"""Graphics: pictures whose subject stands out sharply from a ground that is known at each pixel.

Logos, words, signatures, stamps, chains, frames and cartoons. Their alpha is computed from the
ground's colour, more exactly than a saliency map can give it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.ground import Ground, find_ground

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, ImageU8

STRONG = 48  # levels from the ground: ink, whatever noise there is
LEAST = 3  # levels: what is farther from an exact ground is not it
NOISE_TIMES = 3.0  # the 80th percentile of the ground's error near ink, for all of it
MAX_NOISE = 30  # levels: more is a shadow or a photograph's ground
NEAR_INK, AWAY = 17, 7  # px: where the ground's error is measured, a square of one less the other
SHARP = 24  # levels from the ground: what is no nearer to ink than an edge's width is sharp
EDGE = 7  # px: the width of an edge, JPEG's ringing included, twice and one
SOFT_SHARE = 0.05  # of the ink: more that is soft is a shadow or a blurred photograph
MAX_INK = 0.9  # of the picture: more leaves no ground to be sure of
ONE_INK = 0.97  # of the ink's pixels that lie between ground and one colour


@dataclass(frozen=True, slots=True, eq=False)
class Graphic:
    """A subject on a known ground.

    ``alpha`` is float32 (H, W) in [0, 1], every pixel of the ground's colour 0. ``ink`` is the
    subject's colour as float32 (3,) BGR where it is only one. ``noise`` is how far, in levels, the
    ground strays from its colours.
    """

    ground: Ground
    alpha: ArrayF32
    ink: ArrayF32 | None
    noise: float


def read_graphic(bgr: ImageU8) -> Graphic | None:
    """Return the graphic that a picture is; None for photographs and for what is blurred.

    Args:
        bgr: uint8 (H, W, 3).
    """
    ground = find_ground(bgr)
    if ground is None:
        return None
    distance = ground.distance(bgr)
    noise = _noise(distance)
    if noise is None or noise > MAX_NOISE:
        return None
    core = _without_specks((distance > max(LEAST, noise)).view(np.uint8), distance, noise)
    share = cv2.countNonZero(core) / core.size
    if not 0 < share <= MAX_INK or not _is_sharp(distance, core):
        return None
    ink = _one_ink(bgr, ground, core, noise)
    alpha = _alpha(bgr, ground, distance, core, ink, noise)
    return Graphic(ground, alpha, ink, noise)


def _noise(distance: ImageU8) -> float | None:
    """Return how far the ground strays from its colours beside ink; None where there is no ink."""
    strong = (distance >= STRONG).view(np.uint8)
    if not cv2.countNonZero(strong):
        strong = (distance >= STRONG // 2).view(np.uint8)
    if not cv2.countNonZero(strong):
        return None
    outside = _outside(strong)
    band = outside & cv2.dilate(strong, _square(NEAR_INK)) & ~cv2.dilate(strong, _square(AWAY))
    values = distance[band != 0]
    if not values.size:
        return 0.0
    often, seldom = np.percentile(values, (80, 95))
    return max(NOISE_TIMES * float(often), 2 * float(seldom))


def _outside(ink: ImageU8) -> ImageU8:
    """Return 1 where the picture's border can be reached without crossing ink, uint8 0 or 1."""
    padded = cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(padded, None, (0, 0), 2)  # type: ignore[call-overload]
    return (padded[1:-1, 1:-1] == 2).view(np.uint8)


def _without_specks(core: ImageU8, distance: ImageU8, noise: float) -> ImageU8:
    """Return the ink without pieces that noise makes; on an exact ground each pixel is ink."""
    if noise <= 1:
        return core
    count, labels, stats, _ = cv2.connectedComponentsWithStats(core, connectivity=8)
    keep = np.zeros(count, bool)
    keep[labels[distance >= max(SHARP, 2 * noise)]] = True
    keep &= stats[:, cv2.CC_STAT_AREA] >= max(4, round(core.size * 1e-5))
    keep[0] = False
    return keep[labels].view(np.uint8)


def _is_sharp(distance: ImageU8, core: ImageU8) -> bool:
    """Return whether ink ends in edges: no shadow and no blur reaches far beyond it."""
    ink = (distance >= SHARP).view(np.uint8)
    soft = core & _outside(ink) & ~cv2.dilate(ink, _square(EDGE))
    return cv2.countNonZero(soft) <= SOFT_SHARE * cv2.countNonZero(core)


def _one_ink(bgr: ImageU8, ground: Ground, core: ImageU8, noise: float) -> ArrayF32 | None:
    """Return the ink's colour where every pixel lies between it and the ground.

    Where the ink is wider than an edge, its inside must have that very colour.
    """
    rows, columns = np.nonzero(core)
    step = max(1, len(rows) // 20_000)
    rows, columns = rows[::step], columns[::step]
    seen = bgr[rows, columns].astype(np.float32)
    apart = seen - ground.bgr[rows, columns]
    length = np.linalg.norm(apart, axis=1)
    strongest = length >= np.percentile(length, 90) * 0.9
    ink = np.median(seen[strongest], axis=0)
    way = np.median(apart[strongest], axis=0)
    reach = float(np.linalg.norm(way))
    along = apart @ way / reach
    across = np.linalg.norm(apart - along[:, None] * way / reach, axis=1)
    allowed = 16 + 2.5 * noise
    inside = cv2.erode(core, _square(5))[rows, columns] != 0
    full = np.abs(along[inside] - reach) <= allowed
    import sys; print('   ',np.round([(across<=allowed).mean(), full.mean() if full.size else -1],3), file=sys.stderr)
    if (across <= allowed).mean() < ONE_INK or (full.size and full.mean() < ONE_INK):
        return None
    return np.asarray(ink, np.float32)


def _alpha(
    bgr: ImageU8,
    ground: Ground,
    distance: ImageU8,
    core: ImageU8,
    ink: ArrayF32 | None,
    noise: float,
) -> ArrayF32:
    """Return the share of each pixel that is ink: its distance from the ground over full ink's."""
    near = cv2.dilate(core, _square(3))
    low = np.float32(noise / 2)
    if ink is None:
        full = cv2.dilate(distance, _square(5)).astype(np.float32)
        alpha = (distance.astype(np.float32) - low) / np.maximum(full - low, 1)
        alpha[cv2.erode(core, _square(5)) != 0] = 1
    elif ground.plain is not None:
        way = ink - np.array(ground.plain, np.float32)
        row = np.append(way, -(way @ np.array(ground.plain, np.float32)))[None] / (way @ way)
        alpha = cv2.transform(bgr.astype(np.float32), row.astype(np.float32))
        alpha = _stretched(alpha, low / np.linalg.norm(way))
    else:
        way = ink - ground.bgr.astype(np.float32)
        square = np.einsum("hwc,hwc->hw", way, way)
        alpha = np.einsum("hwc,hwc->hw", bgr - ground.bgr.astype(np.float32), way) / np.maximum(square, 1)
        alpha = _stretched(alpha, low / np.sqrt(np.maximum(square, 1)))
    alpha = alpha.clip(0, 1)
    alpha[near == 0] = 0
    return np.asarray(alpha, np.float32)


def _stretched(alpha: ArrayF32, low: ArrayF32 | np.float32) -> ArrayF32:
    return np.asarray((alpha - low) / (1 - 2 * low), np.float32)


def _square(side: int) -> ImageU8:
    return np.ones((side, side), np.uint8)
