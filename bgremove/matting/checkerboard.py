"""Checkerboards painted in place of transparency."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ImageU8

MIN_CELL = 3.0  # px
MIN_CELLS = 4  # steps along a side: fewer are not a pattern
MIN_APART = 8  # levels between the two colours
NEAR = 12  # levels: distance to one of the two colours after JPEG
SEEN = 0.9  # of the border that must match the pattern
STEADY = 0.8  # of the squares along a side that must have the common width


@dataclass(frozen=True, slots=True, eq=False)
class Checkerboard:
    """An empty board: ``bgr`` uint8 (H, W, 3) and ``cell``, the side of its squares in pixels."""

    bgr: ImageU8
    cell: float


def find_checkerboard(bgr: ImageU8) -> Checkerboard | None:
    """Find the checkerboard along the border of a picture, uint8 (H, W, 3)."""
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
    return Checkerboard(colours.astype(np.uint8)[which], (across[0] + down[0]) / 2)


def _light(line: ImageU8, colours: NDArray[np.int16]) -> NDArray[np.bool_]:
    """Return which pixels, uint8 (N, 3), are nearer to the second colour than to the first."""
    wide = line.astype(np.int16)
    return np.asarray(np.abs(wide - colours[1]).sum(1) < np.abs(wide - colours[0]).sum(1), np.bool_)


def _two_colours(ring: ImageU8) -> NDArray[np.int16] | None:
    """Return the two colours of a border, int16 (2, 3); None where there are not exactly two."""
    first = commonest(ring)
    to_first = np.abs(ring - first).max(1)
    if (to_first >= MIN_APART).mean() < 0.3:
        return None
    second = commonest(ring[to_first >= MIN_APART])
    to_second = np.abs(ring - second).max(1)
    if not 0.3 <= (to_second < to_first).mean() <= 0.7:
        return None
    near = min(NEAR, int(np.abs(first - second).max()) // 2)
    if (np.minimum(to_first, to_second) <= near).mean() < SEEN:
        return None
    return np.stack([first, second])


def commonest(pixels: ImageU8) -> NDArray[np.int16]:
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
    # A line fitted to the numbered steps: the side of a square may be a fraction of pixels.
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
