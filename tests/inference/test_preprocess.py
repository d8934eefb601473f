"""On pictures whose tensor can be computed by hand."""

import cv2
import numpy as np
import pytest

from bgremove.datatypes import ArrayF32, DecodedImage
from bgremove.inference.models import Model
from bgremove.inference.preprocess import DARK, WHITE, to_tensor
from tests.support.graphs import model_of

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
U2NET = model_of(b"", mean=MEAN, std=STD, scaling="peak")
ISNET = model_of(b"", mean=(0.5,) * 3, std=(1.0,) * 3, scaling="full")
PLAIN = model_of(b"", scaling="full")  # pixels / 255


def flat(bgr: tuple[int, int, int], height: int = 50, width: int = 40) -> DecodedImage:
    return DecodedImage(np.full((height, width, 3), bgr, dtype=np.uint8))


def with_alpha(bgr: ArrayF32 | np.ndarray, alpha: float | np.ndarray) -> DecodedImage:
    pixels = np.asarray(bgr, dtype=np.uint8)
    plane = np.broadcast_to(np.asarray(alpha, np.float32), pixels.shape[:2])
    return DecodedImage(pixels, np.ascontiguousarray(plane))


def colour_at(tensor: ArrayF32, row: int = 0, column: int = 0) -> list[float]:
    """Return (R, G, B) of a pixel of the plain model's tensor, in [0, 255]."""
    return [round(float(value) * 255) for value in tensor[0, :, row, column]]


@pytest.mark.parametrize("model", [U2NET, ISNET, PLAIN])
@pytest.mark.parametrize(("height", "width"), [(1, 1), (32, 32), (7, 900), (900, 7), (300, 400)])
def test_a_tensor_is_float32_nchw_contiguous_and_of_the_models_size(
    model: Model, height: int, width: int
) -> None:
    tensor = to_tensor(flat((1, 2, 3), height, width), model)
    assert (tensor.shape, tensor.dtype.name) == ((1, 3, 32, 32), "float32")
    assert tensor.flags.c_contiguous


def test_channels_come_as_red_green_blue() -> None:
    assert colour_at(to_tensor(flat((10, 20, 30)), PLAIN)) == [30, 20, 10]


def test_u2net_divides_by_the_brightest_value_and_normalises_each_channel() -> None:
    tensor = to_tensor(flat((50, 100, 200)), U2NET)
    wanted = [(1.0 - 0.485) / 0.229, (0.5 - 0.456) / 0.224, (0.25 - 0.406) / 0.225]
    np.testing.assert_allclose(tensor[0, :, 5, 5], wanted, rtol=1e-5)


def test_isnet_divides_by_255_and_takes_a_half_away() -> None:
    tensor = to_tensor(flat((0, 51, 255)), ISNET)
    np.testing.assert_allclose(tensor[0, :, 5, 5], [0.5, -0.3, -0.5], atol=1e-6)


@pytest.mark.parametrize("model", [U2NET, ISNET])
def test_a_black_picture_stays_finite(model: Model) -> None:
    tensor = to_tensor(flat((0, 0, 0)), model)
    wanted = -np.asarray(model.mean) / np.asarray(model.std)
    np.testing.assert_allclose(tensor[0, :, 0, 0], wanted, rtol=1e-5)


def test_rows_and_columns_keep_their_places() -> None:
    bgr = np.zeros((64, 96, 3), np.uint8)
    bgr[:32, :48] = 255
    tensor = to_tensor(DecodedImage(bgr), PLAIN)
    corners = [tensor[0, 0, row, column] for row in (2, 29) for column in (2, 29)]
    assert corners == [1.0, 0.0, 0.0, 0.0]


@pytest.mark.parametrize(("height", "width"), [(640, 640), (640, 20), (20, 640)])
def test_fine_stripes_are_averaged_not_sampled(height: int, width: int) -> None:
    """Stripes of one pixel have a mean; taken at points, they would be black or white."""
    y, x = np.mgrid[0:height, 0:width]
    along = y if height >= width else x
    stripes = np.repeat(((along % 2) * 255).astype(np.uint8)[..., np.newaxis], 3, axis=2)
    tensor = to_tensor(DecodedImage(stripes), PLAIN)
    np.testing.assert_allclose(tensor, 0.5, atol=0.01)


def test_a_small_picture_is_stretched_smoothly() -> None:
    slope = np.repeat(np.array([[[0], [255]]], np.uint8), 3, axis=2)
    row = to_tensor(DecodedImage(slope), PLAIN)[0, 0, 0]
    assert row[0] == 0
    assert row[-1] == 1
    assert np.all(np.diff(row) >= 0)
    assert 0.4 < row[16] < 0.6


def test_full_alpha_changes_nothing() -> None:
    bgr = np.random.default_rng(1).integers(0, 256, (50, 60, 3), dtype=np.uint8)
    opaque, covered = to_tensor(DecodedImage(bgr), PLAIN), to_tensor(with_alpha(bgr, 1.0), PLAIN)
    np.testing.assert_array_equal(opaque, covered)


@pytest.mark.parametrize("side", [16, 32, 200])
def test_colours_under_zero_alpha_are_never_shown(side: int) -> None:
    rng = np.random.default_rng(2)
    alpha = np.zeros((side, side), np.float32)
    alpha[side // 4 : side // 2, side // 4 : side // 2] = 0.7
    first, second = (rng.integers(0, 256, (side, side, 3), dtype=np.uint8) for _ in range(2))
    second[alpha > 0] = first[alpha > 0]
    one, other = (to_tensor(with_alpha(bgr, alpha), U2NET) for bgr in (first, second))
    np.testing.assert_array_equal(one, other)


def test_a_dark_subject_is_put_on_white_in_proportion_to_its_alpha() -> None:
    bgr = np.full((64, 64, 3), (20, 40, 60))
    alpha = np.full((64, 64), 0.5, np.float32)
    alpha[:, 32:] = 0
    tensor = to_tensor(with_alpha(bgr, alpha), PLAIN)
    half = 128 / 255  # alpha is carried in 8 bits
    wanted = [value * half + WHITE * (1 - half) for value in (60, 40, 20)]
    np.testing.assert_allclose(colour_at(tensor, 5, 5), wanted, atol=1)
    assert colour_at(tensor, 5, 28) == [255, 255, 255]


def test_a_white_subject_is_put_on_dark_gray() -> None:
    alpha = np.zeros((64, 64), np.float32)
    alpha[16:48, 16:48] = 1
    tensor = to_tensor(with_alpha(np.full((64, 64, 3), 255), alpha), PLAIN)
    assert colour_at(tensor, 0, 0) == [DARK] * 3
    assert colour_at(tensor, 16, 16) == [255] * 3


def test_a_wholly_transparent_picture_is_a_white_one() -> None:
    assert (to_tensor(with_alpha(np.zeros((40, 40, 3)), 0.0), PLAIN) == 1).all()


@pytest.mark.parametrize(("height", "width"), [(131, 150), (259, 301), (600, 129)])
def test_a_large_picture_is_averaged_over_its_whole_area(height: int, width: int) -> None:
    size = PLAIN.size  # 32: these are halved once, twice, once
    cells = np.random.default_rng(5).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    bgr = np.asarray(cv2.resize(cells, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)
    bgr[::2, ::2] = 255 - bgr[::2, ::2]
    wanted = cv2.resize(bgr.astype(np.float32), (size, size), interpolation=cv2.INTER_AREA)
    shown = to_tensor(DecodedImage(bgr), PLAIN)[0].transpose(1, 2, 0)[..., ::-1] * 255
    assert np.abs(shown - wanted).mean() < 4  # an odd last row is left out; points would be 30 off
