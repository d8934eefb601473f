"""The ink of a graphic: its mask, its colour where there is one, and its share of each pixel."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.ground import Ground
from bgremove.matting.masks import pieces, sampled, square
from bgremove.matting.tiles import strips

STRONG = 48  # levels from the ground: always ink, despite noise
SHARP = 24  # levels from the ground: an edge rises by more across its width
LEAST = 3  # levels: the largest deviation of an exact ground
OFTEN, SELDOM = 3.0, 2.0  # factors of the 80th and 95th percentile of the ground's error near ink
NEAR_INK, AWAY = 17, 7  # px: the ground's error is measured between these two squares
EDGE = 7  # px: an edge's width with JPEG's ringing, to both sides
SOFT_SHARE = 0.05  # of the ink: more of it away from edges means a shadow or a blur
LEAST_DUST, DUST = 6, 1.2e-5  # px and share of the picture: a piece no larger is dust or a dot
BESIDE = 0.012  # of the longer side: a dot nearer than this to a larger piece belongs to it
ACROSS = 0.98  # of a side: pieces this long are ruled lines, not a subject
RULED_SHARE = 0.8  # of the ink in such pieces
FAINT = 8  # levels from a ground of one colour: more is not noise away from ink
FAINT_SHARE = 0.002  # of the picture: a smaller faint part is a stain
SOLID = 0.7  # lowest alpha of shading: where no neighbour has less, it is not an edge
EXACT_INK, NEAR_ONE_INK = 0.995, 0.96  # of the ink's pixels that one colour explains; after JPEG
FLAT = 2  # levels between neighbours in flat colour
THICK = 0.05  # of the ink that is away from edges: with less, its lines are too thin for a texture
RINGING = 33  # px: JPEG's ringing beside an edge reaches a block of 16 to either side
SAMPLES = 20_000  # pixels of the ink whose colours are compared
RINGING_STEP = 0.6  # of the ground's noise: a step between neighbours in ringing
_SUM = np.ones((1, 3), np.float32)  # sums the three channels with cv2.transform


def ground_noise(distance: ImageU8) -> float | None:
    """Return the deviation of the ground beside ink, in levels; None where there is no ink."""
    for level in (STRONG, SHARP):
        strong = (distance >= level).view(np.uint8)
        if cv2.countNonZero(strong):
            break
    else:
        return None
    near, at = cv2.dilate(strong, square(NEAR_INK)) != 0, cv2.dilate(strong, square(AWAY)) != 0
    band = near & ~at & outside(strong)
    values = distance[band]
    if not values.size:
        return 0.0
    values[_steps(distance)[band] == 0] = 0  # an even deviation is a faint thing, not noise
    often, seldom = np.percentile(values, (80, 95))
    return max(OFTEN * float(often), SELDOM * float(seldom))


def _steps(levels: ImageU8) -> ImageU8:
    """Return the largest difference among each pixel and its neighbours."""
    return np.asarray(
        cv2.subtract(cv2.dilate(levels, square(3)), cv2.erode(levels, square(3))), np.uint8
    )


def outside(ink: ImageU8) -> NDArray[np.bool_]:
    """Mark pixels connected to the picture's border without crossing ink, bool (H, W)."""
    padded = cv2.copyMakeBorder(ink, 1, 1, 1, 1, cv2.BORDER_CONSTANT, value=0)
    cv2.floodFill(padded, None, (0, 0), 2)
    return np.asarray(padded[1:-1, 1:-1] == 2, np.bool_)


def ink_mask(distance: ImageU8, noise: float) -> ImageU8:
    """Return a mask, uint8 (H, W), 1 where there is ink; noise, dust and ruled lines are not ink.

    Raises PatternError if the mask has too many pieces.
    """
    height, width = distance.shape
    core = (distance > max(LEAST, noise)).view(np.uint8)
    labels, stats = pieces(core, connectivity=8)
    area = stats[:, cv2.CC_STAT_AREA]
    keep = np.ones(len(stats), bool)
    if noise > 1:
        keep[:] = area >= 4
        sharp = np.zeros(len(stats), bool)
        sharp[labels[distance >= max(SHARP, 2 * noise)]] = True
        keep &= sharp
    long = (stats[:, cv2.CC_STAT_WIDTH] >= ACROSS * width) | (
        stats[:, cv2.CC_STAT_HEIGHT] >= ACROSS * height
    )
    keep[0] = long[0] = False
    if area[long & keep].sum() >= RULED_SHARE * area[keep].sum():
        keep[:] = False
    dust = keep & (area <= max(LEAST_DUST, DUST * core.size))
    if dust.any() and not dust[1:].all():
        side = 2 * round(BESIDE * max(height, width)) + 1
        large = (keep & ~dust)[labels].view(np.uint8)
        beside = cv2.dilate(large, square(side)) != 0
        dust[labels[beside]] = False
        keep &= ~dust
    return core if keep[1:].all() else keep[labels].view(np.uint8)


def is_sharp(distance: ImageU8, core: ImageU8) -> bool:
    """Return whether ink ends in sharp edges, without a wide shadow or blur."""
    ink = (distance >= SHARP).view(np.uint8)
    soft = (core != 0) & outside(ink) & (cv2.dilate(ink, square(EDGE)) == 0)
    return bool(np.count_nonzero(soft) <= SOFT_SHARE * cv2.countNonZero(core))


def has_faint_rest(distance: ImageU8, core: ImageU8) -> bool:
    """Return whether something faint lies away from the ink: the ground is not of one colour."""
    faint = cv2.morphologyEx((distance > FAINT).view(np.uint8), cv2.MORPH_OPEN, square(3))
    away = (faint != 0) & (cv2.dilate(core, square(RINGING)) == 0)
    return bool(np.count_nonzero(away) >= FAINT_SHARE * core.size)


def one_ink(
    bgr: ImageU8, ground: Ground, distance: ImageU8, core: ImageU8, noise: float
) -> ArrayF32 | None:
    """Return the ink's colour if the pixels are mixtures of it and the ground, else None.

    Where the ink is wider than an edge, its inside must have exactly that colour.
    """
    rows, columns = sampled(core, SAMPLES)
    seen = bgr[rows, columns].astype(np.float32)
    behind = ground.bgr[rows, columns].astype(np.float32)
    length = np.linalg.norm(seen - behind, axis=1)
    ink = np.median(seen[length >= np.percentile(length, 90) * 0.9], axis=0)
    way = ink - behind
    reach = np.maximum(np.linalg.norm(way, axis=1), 1)
    along = ((seen - behind) * way).sum(1) / reach
    across = np.linalg.norm(seen - behind - way * (along / reach)[:, None], axis=1)
    allowed = np.minimum(16 + 2.5 * noise, 0.3 * reach)
    inside = cv2.erode(core, square(5 if noise <= 1 else 9))[rows, columns] != 0
    full = (np.abs(along - reach) <= allowed)[inside]
    peaks = length >= 0.9 * cv2.dilate(distance, square(5))[rows, columns]
    faint = float(np.percentile((along / reach)[peaks], 10)) if peaks.any() else 1.0
    least = EXACT_INK if noise <= 1 else NEAR_ONE_INK
    if (
        faint < 0.5
        or ((across <= allowed) & (along >= -allowed)).mean() < least
        or (full.size and full.mean() < least)
    ):
        return None
    return np.asarray(ink, np.float32)


def ink_share(
    bgr: ImageU8,
    ground: Ground,
    distance: ImageU8,
    core: ImageU8,
    ink: ArrayF32 | None,
    noise: float,
) -> ArrayF32:
    """Return the share of ink in each pixel: its distance from the ground over that of full ink.

    Computed strip by strip: three channels in float32 would take too much memory.
    """
    low = noise / 2
    alpha = np.empty(distance.shape, np.float32)
    rows = list(strips(*distance.shape))
    if ink is None:
        full = cv2.dilate(distance, square(5))
        for at in rows:
            reach = full[at].astype(np.float32) - np.float32(low)
            alpha[at] = (distance[at] - np.float32(low)) / np.maximum(reach, 1)
        alpha[cv2.erode(core, square(5)) != 0] = 1
    elif ground.plain is not None:
        way = ink - np.array(ground.plain, np.float32)
        row = np.append(way, -(way @ np.array(ground.plain, np.float32))) / (way @ way)
        for at in rows:
            along = cv2.transform(bgr[at].astype(np.float32), row[None].astype(np.float32))
            alpha[at] = _spread(np.asarray(along, np.float32), low, np.linalg.norm(way))
    else:
        reaches = [np.sqrt(_whole(ground.bgr[at], ink)).sum(dtype=np.float64) for at in rows]
        for at in rows:
            apart = cv2.subtract(bgr[at], ground.bgr[at], dtype=cv2.CV_32F)
            dot = cv2.transform(cv2.multiply(apart, _ways(ground.bgr[at], ink)), _SUM)
            share = np.asarray(dot / _whole(ground.bgr[at], ink), np.float32)
            alpha[at] = _spread(share, low, np.float64(sum(reaches) / distance.size))
    alpha.clip(0, 1, out=alpha)
    alpha[cv2.erode(alpha, square(3)) >= SOLID] = 1
    alpha[cv2.dilate(core, square(3)) == 0] = 0
    if noise > 1:  # JPEG's ringing beside an edge is not ink
        sharp = (distance >= max(SHARP, 2 * noise)).view(np.uint8)
        alpha[outside(sharp) & (cv2.dilate(sharp, square(3)) == 0)] = 0
    return alpha


def _ways(ground: ImageU8, ink: ArrayF32) -> ArrayF32:
    """Return the ink's colour minus the ground's at each pixel, float32 (H, W, 3)."""
    colour = np.empty_like(ground)
    colour[:] = np.rint(ink)
    return np.asarray(cv2.subtract(colour, ground, dtype=cv2.CV_32F), np.float32)


def _whole(ground: ImageU8, ink: ArrayF32) -> ArrayF32:
    """Return the squared length of each difference of `_ways`, at least 1, float32 (H, W)."""
    ways = _ways(ground, ink)
    return np.maximum(np.asarray(cv2.transform(cv2.multiply(ways, ways), _SUM), np.float32), 1)


def _spread(alpha: ArrayF32, low: float, reach: np.floating) -> ArrayF32:
    """Stretch alpha so that noise becomes 0 in the ground and 1 within the ink."""
    cut = np.float32(low / max(1.0, float(reach)))
    return (alpha - cut) / (1 - 2 * cut)


def is_flat(bgr: ImageU8, core: ImageU8, noise: float) -> bool:
    """Return whether ink has flat colours or smooth shading; a photograph has texture.

    Steps between neighbours are measured where JPEG's ringing does not reach. Strokes too thin for
    that may have steps as large as those of ringing.
    """
    allowed = FLAT + noise / 5
    inside = cv2.erode(core, square(5 if noise <= 1 else RINGING)) != 0
    if noise > 1 and np.count_nonzero(inside) < THICK * np.count_nonzero(core):
        inside = cv2.erode(core, square(9)) != 0
        allowed = FLAT + RINGING_STEP * noise
    if np.count_nonzero(inside) < THICK * np.count_nonzero(core):
        return True
    steps = _steps(bgr)[inside].max(axis=1)
    return float(np.median(steps)) <= allowed
