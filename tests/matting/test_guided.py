from __future__ import annotations

import numpy as np

from bgremove.matting.guided import linear_model
from tests.matting.pictures import GREEN, RED, flat, textured


def test_alpha_that_is_linear_in_colour_is_found() -> None:
    picture = textured(60, 80)
    noise = np.random.default_rng(0).integers(-40, 40, picture.shape)
    picture = (picture + noise).clip(0, 255).astype(np.uint8)
    colours = picture / np.float32(255)
    alpha = (0.2 + colours @ np.array([0.3, 0.4, -0.2], np.float32)).astype(np.float32)
    *slopes, offset = linear_model(alpha, picture, (8, 8))
    fitted = sum(slope * colours[..., i] for i, slope in enumerate(slopes)) + offset
    assert np.abs(fitted - alpha).max() < 0.02


def test_without_colour_the_model_is_the_mean() -> None:
    alpha = np.full((20, 30), 0.25, np.float32)
    *slopes, offset = linear_model(alpha, flat(20, 30, RED), (3, 2))
    np.testing.assert_allclose(slopes, 0, atol=1e-4)
    np.testing.assert_allclose(offset, 0.25, atol=1e-4)


def test_reach_is_counted_along_x_then_y() -> None:
    picture = flat(41, 41, RED)
    picture[20, 20] = GREEN
    alpha = np.zeros((41, 41), np.float32)
    alpha[20, 20] = 1
    slopes = np.abs(linear_model(alpha, picture, (5, 1))[0])
    rows, columns = np.nonzero(slopes > slopes.max() * 1e-3)
    assert (np.ptp(columns), np.ptp(rows)) == (20, 4)  # twice the reach to either side
