from typing import Any

import cv2
import numpy as np
import pytest

from bgremove.matting.matte import is_cut_out


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
