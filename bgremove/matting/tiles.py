"""Tiles of a picture, with a margin that overlaps their neighbours."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

import cv2

from bgremove.datatypes import ImageU8

Window = tuple[slice, slice]  # rows, columns
Part = TypeVar("Part")
STRIP_PIXELS = 1 << 18


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile: ``inner`` without and ``outer`` with its margin, both inside the picture.

    ``last`` is true where the tile ends at the picture's (bottom, right) edge.
    """

    inner: Window
    outer: Window
    last: tuple[bool, bool]

    def within(self, factor: int, window: Window) -> Window:
        """Return a window of the enlarged picture, relative to ``outer`` enlarged by ``factor``."""
        top, left = (span.start * factor for span in self.outer)
        rows, columns = window
        return (
            slice(rows.start - top, rows.stop - top),
            slice(columns.start - left, columns.stop - left),
        )

    def scaled(self, factor: int, height: int, width: int) -> Window:
        """Return ``inner`` in a picture ``factor`` times as large; last tiles end at its edges."""
        rows, columns = self.inner
        bottom = height if self.last[0] else rows.stop * factor
        right = width if self.last[1] else columns.stop * factor
        return slice(rows.start * factor, bottom), slice(columns.start * factor, right)


def tiles(height: int, width: int, side: int, margin: int) -> Iterator[Tile]:
    """Yield the tiles of a picture, row by row.

    Args:
        height: Height of the picture, in pixels.
        width: Width of the picture, in pixels.
        side: Side of a tile, in pixels; the last tiles of a row or column may be smaller.
        margin: Pixels by which ``outer`` extends ``inner``, within the picture.
    """
    for top in range(0, height, side):
        for left in range(0, width, side):
            inner = slice(top, min(top + side, height)), slice(left, min(left + side, width))
            yield tile_at(inner, height, width, margin)


def tile_at(inner: Window, height: int, width: int, margin: int) -> Tile:
    """Return the tile at ``inner`` of a picture."""
    rows, columns = inner
    outer = _widened(rows, margin, height), _widened(columns, margin, width)
    return Tile(inner, outer, (rows.stop == height, columns.stop == width))


def narrowed(tile: Tile, wanted: ImageU8, margin: int) -> Window | None:
    """Return the part of ``inner`` within ``margin`` pixels of its wanted pixels.

    Args:
        tile: the tile.
        wanted: uint8, the shape of ``outer``, not 0 where a pixel is wanted.
        margin: pixels around the wanted ones.

    Returns:
        The window; None when all of ``wanted`` is 0.
    """
    left, top, width, height = cv2.boundingRect(wanted)
    if not width:
        return None
    top, left = top + tile.outer[0].start, left + tile.outer[1].start
    rows = _within(slice(top - margin, top + height + margin), tile.inner[0])
    columns = _within(slice(left - margin, left + width + margin), tile.inner[1])
    return (rows, columns) if rows.start < rows.stop and columns.start < columns.stop else None


def strips(height: int, width: int) -> Iterator[slice]:
    """Yield the rows of a picture in strips of about STRIP_PIXELS."""
    step = max(1, STRIP_PIXELS // width)
    for top in range(0, height, step):
        yield slice(top, min(top + step, height))


def for_each(work: Callable[[Part], None], among: Iterable[Part]) -> None:
    """Call ``work`` on tiles or strips, as many at a time as OpenCV has threads.

    OpenCV's own threads do not help on pieces this small. OpenCV and NumPy release the GIL.
    """
    with ThreadPoolExecutor(max_workers=max(1, cv2.getNumThreads())) as pool:
        for _ in pool.map(work, among):
            pass  # errors of a tile are raised here


def _widened(span: slice, margin: int, length: int) -> slice:
    return slice(max(0, span.start - margin), min(length, span.stop + margin))


def _within(span: slice, bounds: slice) -> slice:
    return slice(max(span.start, bounds.start), min(span.stop, bounds.stop))
