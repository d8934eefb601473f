import numpy as np
import pytest

from bgremove.datatypes import ArrayF32, Box, Cutout, ImageU8
from bgremove.imaging.compose import alpha_to_u8, binary_mask, crop, on_white, transparent


def cutout(colour: tuple[int, int, int], alpha: list[list[float]]) -> tuple[ImageU8, ArrayF32]:
    matte = np.asarray(alpha, dtype=np.float32)
    bgr = np.full((*matte.shape, 3), colour, dtype=np.uint8)
    return bgr, matte


def test_alpha_is_rounded_not_cut() -> None:
    alpha = np.array([[0.0, 0.001, 0.002, 0.5, 0.9985, 1.0]], dtype=np.float32)
    assert alpha_to_u8(alpha).tolist() == [[0, 0, 1, 128, 255, 255]]


def test_transparent_keeps_straight_colours_and_clears_those_under_zero_alpha() -> None:
    canvas = transparent(*cutout((10, 20, 30), [[0.0, 0.5, 1.0]]))
    assert canvas.tolist() == [[[0, 0, 0, 0], [10, 20, 30, 128], [10, 20, 30, 255]]]


def test_white_is_exact_where_alpha_is_zero_and_colour_where_it_is_one() -> None:
    canvas = on_white(*cutout((0, 100, 255), [[0.0, 1.0]]))
    assert canvas.tolist() == [[[255, 255, 255], [0, 100, 255]]]


def test_white_mixes_in_proportion_to_alpha() -> None:
    alpha = np.linspace(0, 1, 256, dtype=np.float32)[np.newaxis]
    canvas = on_white(*cutout((0, 90, 200), alpha.tolist()))
    expected = 255 - (255 - np.array([0, 90, 200])) * alpha[0][:, np.newaxis]
    assert np.abs(canvas[0] - expected).max() <= 0.5 + 1e-3


def test_white_is_the_same_whether_worked_in_one_strip_or_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(5)
    alpha = rng.random((37, 23), dtype=np.float32)
    bgr = rng.integers(0, 256, (37, 23, 3), dtype=np.uint8)
    whole = on_white(bgr, alpha)
    monkeypatch.setattr("bgremove.imaging.compose.STRIP_PIXELS", 50)
    assert np.array_equal(on_white(bgr, alpha), whole)


def test_mask_is_binary_at_one_half() -> None:
    alpha = np.array([[0.0, 0.4999, 0.5, 1.0]], dtype=np.float32)
    mask = binary_mask(alpha)
    assert mask.dtype == np.uint8
    assert mask.tolist() == [[0, 0, 255, 255]]


def test_crop_is_the_box() -> None:
    bgr = np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3)
    alpha = np.arange(5 * 7, dtype=np.float32).reshape(5, 7) / 35
    part = crop(Cutout(bgr, alpha, Box(top=1, left=2, width=3, height=4)))
    assert np.array_equal(part.bgr, bgr[1:5, 2:5])
    assert np.array_equal(part.alpha, alpha[1:5, 2:5])
    assert part.box == Box(top=0, left=0, width=3, height=4)
