"""The ground of a picture, found on its border: one colour, paper or a checkerboard."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, ImageU8
from bgremove.matting.tiles import strips

RING = 2  # px: width of the border that is examined
SIDE_SHARE = 0.8  # of a side that must be ground, on three of the four sides
RING_SHARE = 0.7  # of the whole border that must be ground: one side may cut off the subject
PLAIN = 3  # levels: deviation of one colour after JPEG, away from edges
PAPER_NOISE = 3.0  # levels: paper and studio walls; a photograph's ground varies more
GRID = 48  # points a side for fitting paper
CELLS = 64  # a side: the fitted paper is computed at this size and enlarged
MIN_CELL = 3.0  # px
MIN_CELLS = 4  # steps along a side: fewer are not a pattern
MIN_APART = 8  # levels between the two colours
NEAR = 12  # levels: distance to one of the two colours after JPEG
SEEN = 0.9  # of the border that must match the pattern
STEADY = 0.8  # of the squares along a side that must have the common width


@dataclass(frozen=True, slots=True, eq=False)
class Ground:
    """The colour of the ground at each pixel.

    ``bgr`` is uint8 (H, W, 3). ``plain`` is the colour as (b, g, r) where there is only one.
    ``cell`` is the side of a checkerboard's squares in pixels, 0 for other grounds.
    """

    bgr: ImageU8
    plain: tuple[int, int, int] | None = None
    cell: float = 0

    def distance(self, bgr: ImageU8) -> ImageU8:
        """Return the distance of each pixel from the ground in levels, uint8 (H, W)."""
        height, width = bgr.shape[:2]
        distance = np.empty((height, width), np.uint8)
        for rows in strips(height, width):
            behind = np.ascontiguousarray(self.bgr[rows])
            blue, green, red = cv2.split(cv2.absdiff(bgr[rows], behind))
            cv2.max(cv2.max(blue, green), red, dst=distance[rows])
        return distance


def find_ground(bgr: ImageU8) -> Ground | None:
    """Find the ground from the picture's border; None for most photographs.

    Args:
        bgr: uint8 (H, W, 3).
    """
    if min(bgr.shape[:2]) < 16:
        return None
    sides = [bgr[:RING], bgr[-RING:], bgr[:, :RING], bgr[:, -RING:]]
    colour = _commonest(np.concatenate([side.reshape(-1, 3) for side in sides]))
    if _is_ground(
        [np.abs(side.reshape(-1, 3).astype(np.int16) - colour).max(1) <= PLAIN for side in sides]
    ):
        whole = np.broadcast_to(colour.astype(np.uint8), bgr.shape)  # takes no memory
        return Ground(whole, plain=(int(colour[0]), int(colour[1]), int(colour[2])))
    return _checkerboard(bgr) or _paper(bgr)


def _is_ground(sides: list[NDArray[np.bool_]]) -> bool:
    """Return whether enough of the border, bool (N,) for each side, is ground."""
    shares = [float(side.mean()) for side in sides]
    return sum(s >= SIDE_SHARE for s in shares) >= 3 and sum(shares) / 4 >= RING_SHARE


def _paper(bgr: ImageU8) -> Ground | None:
    """Fit a quadratic surface to the border, then to all pixels that match it.

    None where the border is not a smooth surface.
    """
    height, width = bgr.shape[:2]
    rows, columns = (np.linspace(0, side - 1, GRID).round().astype(int) for side in (height, width))
    seen = bgr[np.ix_(rows, columns)].reshape(-1, 3).astype(np.float32)
    terms = _terms((rows + 0.5) / height, (columns + 0.5) / width)
    index = np.arange(GRID * GRID).reshape(GRID, GRID)
    sides = [index[0], index[-1], index[:, 0], index[:, -1]]
    points = np.unique(np.concatenate(sides))
    for among in (points, points, points, index.ravel(), index.ravel()):
        surface = np.linalg.lstsq(terms[points], seen[points], rcond=None)[0]
        away = np.abs(seen - terms @ surface).max(1)
        noise = 1.4826 * float(np.median(away[points]))
        near = away <= max(4.0, 3 * noise)
        if noise > PAPER_NOISE or not _is_ground([near[side] for side in sides]):
            return None
        points = among[near[among]]
    at = (np.arange(CELLS) + 0.5) / CELLS
    small = (_terms(at, at) @ surface).reshape(CELLS, CELLS, 3).clip(0, 255)
    large = cv2.resize(
        np.rint(small).astype(np.uint8), (width, height), interpolation=cv2.INTER_LINEAR
    )
    return Ground(np.asarray(large, np.uint8))


def _terms(y: NDArray[np.float64], x: NDArray[np.float64]) -> ArrayF32:
    """Return the terms of a quadratic surface at each point of a grid, float32 (N, 6)."""
    v, u = np.meshgrid(y - 0.5, x - 0.5, indexing="ij")
    return (
        np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], -1).reshape(-1, 6).astype(np.float32)
    )


def _checkerboard(bgr: ImageU8) -> Ground | None:
    """Find the checkerboard that stands for transparency along the border of a picture."""
    height, width = bgr.shape[:2]
    colours = _two_colours(np.concatenate([bgr[0], bgr[-1], bgr[:, 0], bgr[:, -1]]))
    if colours is None:
        return None
    across = _best([_cells(bgr[y], colours) for y in (0, height - 1)])
    down = _best([_cells(bgr[:, x], colours) for x in (0, width - 1)])
    if across is None or down is None or abs(across[0] - down[0]) > 0.05 * across[0] + 0.3:
        return None
    rows, columns = _parity(height, *down), _parity(width, *across)
    agree = [
        _light(line, colours) == odd
        for line, odd in (
            (bgr[0], rows[0] ^ columns),
            (bgr[-1], rows[-1] ^ columns),
            (bgr[:, 0], rows ^ columns[0]),
            (bgr[:, -1], rows ^ columns[-1]),
        )
    ]
    share = float(np.concatenate(agree).mean())
    if max(share, 1 - share) < SEEN:
        return None
    if share < SEEN:
        rows = ~rows
    which = (rows[:, None] ^ columns[None, :]).view(np.uint8)
    return Ground(colours.astype(np.uint8)[which], cell=(across[0] + down[0]) / 2)


def _light(line: ImageU8, colours: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return which pixels, uint8 (N, 3), are nearer to the second colour than to the first."""
    wide = line.astype(np.int16)
    return np.asarray(np.abs(wide - colours[1]).sum(1) < np.abs(wide - colours[0]).sum(1), np.bool_)


def _two_colours(ring: ImageU8) -> NDArray[np.int16] | None:
    """Return the two colours of a border, int16 (2, 3); None where there are not exactly two."""
    first = _commonest(ring)
    to_first = np.abs(ring - first).max(1)
    if (to_first >= MIN_APART).mean() < 0.3:
        return None
    second = _commonest(ring[to_first >= MIN_APART])
    to_second = np.abs(ring - second).max(1)
    if not 0.3 <= (to_second < to_first).mean() <= 0.7:
        return None
    near = min(NEAR, int(np.abs(first - second).max()) // 2)
    if (np.minimum(to_first, to_second) <= near).mean() < SEEN:
        return None
    return np.stack([first, second])


def _commonest(pixels: ImageU8) -> NDArray[np.int16]:
    """Return the most common colour, int16 (3,), of pixels uint8 (N, 3)."""
    wide = pixels.astype(np.int32)
    packed = wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16
    values, counts = np.unique(packed, return_counts=True)
    value = int(values[counts.argmax()])
    return np.array([value & 255, value >> 8 & 255, value >> 16], np.int16)


def _cells(line: ImageU8, colours: NDArray[np.int16]) -> tuple[float, float] | None:
    """Return the side of the squares along a line and the start of one of them, in pixels."""
    light = _light(line, colours)
    steps = np.flatnonzero(light[1:] != light[:-1]) + 1
    if len(steps) < MIN_CELLS:
        return None
    runs = np.diff(steps)
    cell = float(np.median(runs))
    if cell < MIN_CELL or (np.abs(runs - cell) <= 1.01).mean() < STEADY:
        return None
    # A line is fitted to the numbered steps: a square's side may be no whole number of pixels.
    number = np.concatenate([[0], np.cumsum(np.rint(runs / cell))])
    cell, first = np.polyfit(number, steps, 1)
    away = np.abs(steps - (first + cell * number))
    return (float(cell), float(first)) if (away <= 1.5).mean() >= STEADY else None


def _best(found: list[tuple[float, float] | None]) -> tuple[float, float] | None:
    return next((cells for cells in found if cells is not None), None)


def _parity(length: int, cell: float, first: float) -> NDArray[np.bool_]:
    """Return which pixels along a line lie in every second square, bool (length,)."""
    number = np.floor((np.arange(length) + 0.5 - first) / cell)
    return np.asarray(number.astype(int) % 2 == 1, np.bool_)
