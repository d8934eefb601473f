"""The matte of a picture, its box, and pictures that are cut out already."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.datatypes import Box
from bgremove.matting.matte import foreground_box, is_cut_out


def canvas(height: int = 200, width: int = 300) -> Any:
    return np.zeros((height, width), np.float32)


def test_a_disc_on_transparency_is_cut_out() -> None:
    assert is_cut_out(cv2.circle(canvas(), (150, 100), 80, 1, -1))


def test_letters_of_partial_alpha_are_cut_out() -> None:
    letters = np.zeros((200, 300), np.uint8)
    cv2.putText(letters, "Ab", (60, 130), cv2.FONT_HERSHEY_SIMPLEX, 4, 150, 9)
    assert is_cut_out((letters / 255).astype(np.float32))


def test_an_opaque_picture_is_not() -> None:
    assert not is_cut_out(canvas() + 1)


def test_a_wholly_transparent_picture_is_not() -> None:
    assert not is_cut_out(canvas())


def test_a_rectangle_with_a_wide_transparent_margin_is_cut_out() -> None:
    alpha = canvas()
    alpha[40:-40, 40:-40] = 1
    assert is_cut_out(alpha)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (40, 0), (0, 40)])
def test_a_whole_picture_in_a_thin_margin_or_between_bands_is_not(rows: int, columns: int) -> None:
    alpha = canvas()
    alpha[rows : 200 - rows, columns : 300 - columns] = 1
    assert not is_cut_out(alpha)


def test_faint_noise_around_it_does_not_hide_a_cut_out() -> None:
    alpha = np.random.default_rng(0).integers(0, 5, (200, 300)).astype(np.float32) / 255
    assert is_cut_out(np.asarray(cv2.circle(alpha, (150, 100), 80, 1, -1), np.float32))


def test_a_window_with_rounded_corners_is_not() -> None:
    alpha = canvas() + 1
    alpha[:4, :4] = alpha[-4:, -4:] = 0
    assert not is_cut_out(alpha)


def test_a_picture_that_is_faint_all_over_is_not() -> None:
    assert not is_cut_out(canvas() + 0.3)


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
