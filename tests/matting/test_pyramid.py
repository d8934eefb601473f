from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.matting.pyramid import enlarge, halvings, shrink


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 20_000), st.integers(1, 3_000))
def test_halvings_are_just_enough(side: int, limit: int) -> None:
    count = halvings(side, limit)
    assert side >> count <= limit
    assert count == 0 or side >> (count - 1) > limit


def test_shrink_takes_means_of_two_by_two() -> None:
    picture = np.arange(24, dtype=np.float32).reshape(4, 6)
    np.testing.assert_array_equal(shrink(picture, 1), [[3.5, 5.5, 7.5], [15.5, 17.5, 19.5]])


def test_shrink_by_nothing_is_the_picture_itself() -> None:
    picture = np.zeros((5, 5, 3), np.uint8)
    assert shrink(picture, 0) is picture


@pytest.mark.parametrize(
    ("shape", "count", "expected"),
    [((5, 7, 3), 1, (2, 3, 3)), ((1, 9), 2, (1, 2)), ((3, 1), 1, (1, 1))],
)
def test_shrink_leaves_odd_ends_out_and_keeps_a_lone_row(
    shape: tuple[int, ...], count: int, expected: tuple[int, ...]
) -> None:
    assert shrink(np.zeros(shape, np.uint8), count).shape == expected


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 30), st.integers(1, 34), st.sampled_from([1, 2, 4, 8]))
def test_a_window_is_the_same_as_cut_from_the_whole(start: int, size: int, factor: int) -> None:
    plane = np.random.default_rng(1).random((8 * 64 // factor, 80 // factor), dtype=np.float32)
    whole = enlarge(plane, (slice(0, 512), slice(0, 80)), factor)
    window = (slice(start, start + size), slice(start, start + size))
    np.testing.assert_allclose(enlarge(plane, window, factor), whole[window], atol=1e-6)


def test_enlarged_pixels_lie_between_centres() -> None:
    plane = np.array([[0, 1]], np.float32)
    large = enlarge(plane, (slice(0, 1), slice(0, 4)), 2)
    np.testing.assert_allclose(large, [[0, 0.25, 0.75, 1]], atol=1e-6)


def test_the_last_pixel_goes_on_beyond_the_end() -> None:
    plane = np.array([[0, 1]], np.float32)
    large = enlarge(plane, (slice(0, 3), slice(3, 6)), 2)
    np.testing.assert_allclose(large, np.ones((3, 3)), atol=1e-6)
