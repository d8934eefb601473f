from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.matting.tiles import tiles

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
