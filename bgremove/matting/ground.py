"""The ground of a picture, found on its border: one colour, paper or a checkerboard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.matting.checkerboard import commonest, find_checkerboard

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32, ImageU8

RING = 2  # px: width of the border that is examined
SIDE_SHARE = 0.8  # of a side that must be ground, on three of the four sides
RING_SHARE = 0.7  # of the whole border: one side may cut the subject off
PLAIN = 3  # levels: deviation of one colour after JPEG, away from edges
PAPER_NOISE = 3.0  # levels: paper and studio walls; a photograph's ground varies more
GRID = 48  # points a side for fitting paper
CELLS = 64  # a side: the fitted paper is computed at this size and enlarged


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
        blue, green, red = cv2.split(cv2.absdiff(bgr, self.bgr))
        return np.asarray(cv2.max(cv2.max(blue, green), red), np.uint8)


def find_ground(bgr: ImageU8) -> Ground | None:
    """Find the ground from the picture's border; None for most photographs.

    Args:
        bgr: uint8 (H, W, 3).
    """
    if min(bgr.shape[:2]) < 16:
        return None
    sides = [bgr[:RING], bgr[-RING:], bgr[:, :RING], bgr[:, -RING:]]
    colour = commonest(np.concatenate([side.reshape(-1, 3) for side in sides]))
    if _is_ground(
        [np.abs(side.reshape(-1, 3).astype(np.int16) - colour).max(1) <= PLAIN for side in sides]
    ):
        whole = np.empty_like(bgr)
        whole[:] = colour
        return Ground(whole, plain=(int(colour[0]), int(colour[1]), int(colour[2])))
    board = find_checkerboard(bgr)
    if board is not None:
        return Ground(board.bgr, cell=board.cell)
    paper = _paper(bgr)
    return None if paper is None else Ground(paper)


def _is_ground(sides: list[NDArray[np.bool_]]) -> bool:
    """Return whether enough of the border, bool (N,) for each side, is ground."""
    shares = [float(side.mean()) for side in sides]
    return sum(s >= SIDE_SHARE for s in shares) >= 3 and sum(shares) / 4 >= RING_SHARE


def _paper(bgr: ImageU8) -> ImageU8 | None:
    """Fit a quadratic surface to the border, then to all pixels that match it.

    Returns:
        uint8 (H, W, 3), or None where the border is not a smooth surface.
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
    return np.asarray(large, np.uint8)


def _terms(y: NDArray[np.float64], x: NDArray[np.float64]) -> ArrayF32:
    """Return the terms of a quadratic surface at each point of a grid, float32 (N, 6)."""
    v, u = np.meshgrid(y - 0.5, x - 0.5, indexing="ij")
    return (
        np.stack([np.ones_like(u), u, v, u * u, u * v, v * v], -1).reshape(-1, 6).astype(np.float32)
    )
