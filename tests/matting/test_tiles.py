from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.matting.tiles import narrowed, strips, tile_at, tiles

sides = st.integers(1, 200)


@settings(max_examples=40, deadline=None)
@given(sides, sides, st.integers(9, 70), st.integers(0, 20), st.sampled_from([1, 2, 4]))
def test_tiles_cover_every_pixel_once_at_both_sizes(
    height: int, width: int, side: int, margin: int, factor: int
) -> None:
    small = np.zeros((height, width), int)
    full_height, full_width = height * factor + factor - 1, width * factor
    large = np.zeros((full_height, full_width), int)
    for tile in tiles(height, width, side, margin):
        small[tile.inner] += 1
        large[tile.scaled(factor, full_height, full_width)] += 1
    assert (small == 1).all()
    assert (large == 1).all()


@settings(max_examples=40, deadline=None)
@given(sides, sides, st.integers(9, 70), st.integers(0, 20))
def test_the_margin_is_kept_inside_the_picture(
    height: int, width: int, side: int, margin: int
) -> None:
    numbers = np.arange(height * width).reshape(height, width)
    for tile in tiles(height, width, side, margin):
        np.testing.assert_array_equal(
            numbers[tile.outer][tile.within(1, tile.inner)], numbers[tile.inner]
        )
        for inner, outer, length in zip(tile.inner, tile.outer, (height, width), strict=True):
            assert outer.start == max(0, inner.start - margin)
            assert outer.stop == min(length, inner.stop + margin)


@settings(max_examples=60, deadline=None)
@given(sides, sides, st.integers(9, 70), st.integers(0, 9), st.integers(0, 9), st.data())
def test_a_narrowed_tile_holds_all_that_is_near_what_is_wanted(
    height: int, width: int, side: int, margin: int, near: int, data: st.DataObject
) -> None:
    wanted = np.zeros((height, width), np.uint8)
    for _ in range(data.draw(st.integers(0, 4))):
        wanted[data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))] = 1
    square = np.ones((2 * near + 1, 2 * near + 1), np.uint8)
    for tile in tiles(height, width, side, margin):
        seen = np.zeros((height, width), np.uint8)
        seen[tile.outer] = wanted[tile.outer]
        close = cv2.dilate(seen, square) > 0
        part = narrowed(tile, np.ascontiguousarray(wanted[tile.outer]), near)
        inside = np.zeros((height, width), bool)
        if part is not None:
            inside[part] = True
        inner = np.zeros((height, width), bool)
        inner[tile.inner] = True
        assert not (close & inner & ~inside).any()
        assert not (inside & ~inner).any()


def test_a_tile_at_the_edge_knows_it() -> None:
    tile = tile_at((slice(4, 9), slice(0, 6)), 9, 8, margin=3)
    assert tile.outer == (slice(1, 9), slice(0, 8))
    assert tile.last == (True, False)


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 3000), st.integers(1, 3000))
def test_strips_follow_one_another(height: int, width: int) -> None:
    ends = [0]
    for rows in strips(height, width):
        assert rows.start == ends[-1] < rows.stop
        ends.append(rows.stop)
    assert ends[-1] == height
