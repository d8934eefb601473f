"""A picture cut into tiles that see some pixels of their neighbours."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Window = tuple[slice, slice]  # rows, columns


@dataclass(frozen=True, slots=True)
class Tile:
    """One tile: ``inner`` without, ``outer`` with its margin, both inside the picture.

    ``last``: whether the tile ends at the picture's (bottom, right) edge.
    """

    inner: Window
    outer: Window
    last: tuple[bool, bool]

    def within(self, factor: int, window: Window) -> Window:
        """Return the place of a window of the large picture in ``outer`` made as large."""
        top, left = (span.start * factor for span in self.outer)
        rows, columns = window
        return (
            slice(rows.start - top, rows.stop - top),
            slice(columns.start - left, columns.stop - left),
        )

    def scaled(self, factor: int, height: int, width: int) -> Window:
        """Return ``inner`` in a picture ``factor`` times as large, the last tiles to its edges."""
        rows, columns = self.inner
        bottom = height if self.last[0] else rows.stop * factor
        right = width if self.last[1] else columns.stop * factor
        return slice(rows.start * factor, bottom), slice(columns.start * factor, right)


def tiles(height: int, width: int, side: int, margin: int) -> Iterator[Tile]:
    """Yield the tiles of a picture, row by row.

    :param height: of the picture, pixels; ``width`` likewise.
    :param side: of a tile, pixels; the last ones of a row or column may be smaller.
    :param margin: pixels that ``outer`` reaches beyond ``inner`` where the picture goes on.
    """
    for top in range(0, height, side):
        bottom = min(top + side, height)
        for left in range(0, width, side):
            right = min(left + side, width)
            yield Tile(
                (slice(top, bottom), slice(left, right)),
                (
                    slice(max(0, top - margin), min(height, bottom + margin)),
                    slice(max(0, left - margin), min(width, right + margin)),
                ),
                (bottom == height, right == width),
            )


def for_each(work: Callable[[Tile], None], among: Iterable[Tile]) -> None:
    """Do ``work`` on tiles, as many at a time as OpenCV has threads.

    OpenCV's own threads gain nothing on pieces this small; both release the interpreter's lock.
    """
    with ThreadPoolExecutor(max_workers=max(1, cv2.getNumThreads())) as pool:
        for _ in pool.map(work, among):
            pass  # an error in a tile is raised here
