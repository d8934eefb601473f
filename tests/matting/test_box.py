from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.datatypes import Box
from bgremove.matting.box import foreground_box


def matte(height: int, width: int, *boxes: Box, value: float = 1.0) -> np.ndarray:
    alpha = np.zeros((height, width), np.float32)
    for box in boxes:
        alpha[box.top : box.top + box.height, box.left : box.left + box.width] = value
    return alpha


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_box_of_a_rectangle_is_exact(data: st.DataObject) -> None:
    height, width = data.draw(st.sampled_from([(40, 50), (1500, 1100), (2047, 4001), (3, 2500)]))
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    tall, wide = data.draw(st.integers(1, height - top)), data.draw(st.integers(1, width - left))
    box = Box(top, left, wide, tall)
    assert foreground_box(matte(height, width, box)) == box


def test_a_subject_at_all_borders_gives_the_whole_picture() -> None:
    assert foreground_box(np.ones((1301, 2603), np.float32)) == Box(0, 0, 2603, 1301)


@pytest.mark.parametrize("size", [(300, 400), (3000, 4000)])
def test_specks_are_left_out_and_second_subjects_kept(size: tuple[int, int]) -> None:
    height, width = size
    unit = height // 30
    first = Box(10 * unit, 10 * unit, 8 * unit, 9 * unit)
    second = Box(20 * unit, 25 * unit, 3 * unit, 3 * unit)
    speck = Box(unit, unit, unit // 5, unit // 5)
    alpha = matte(height, width, first, second, speck)
    assert foreground_box(alpha) == Box(10 * unit, 10 * unit, 18 * unit, 13 * unit)


def test_a_speck_beside_the_edge_row_does_not_move_the_side() -> None:
    main = Box(1002, 1000, 800, 800)
    speck = Box(1000, 2900, 5, 5)  # in the same blocks' row, two rows above the subject
    assert foreground_box(matte(3000, 4000, main, speck)) == main


def test_what_is_faint_does_not_count() -> None:
    alpha = matte(200, 200, Box(50, 60, 70, 80))
    alpha[alpha == 0] = 0.1
    assert foreground_box(alpha) == Box(50, 60, 70, 80)


def test_nothing_has_no_box() -> None:
    assert foreground_box(np.full((2000, 30), 0.05, np.float32)) is None


def test_the_small_parts_of_a_set_are_in_the_box() -> None:
    thing, button = Box(60, 420, 480, 620), Box(850, 100, 36, 36)
    alpha = matte(1000, 1000, thing, button)
    assert foreground_box(alpha) == Box(60, 100, 800, 826)
