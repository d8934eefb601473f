from __future__ import annotations

import numpy as np

from bgremove.matting.unmix import Layer, local_layer, unmix


def plane(value: float) -> np.ndarray:
    return np.full((4, 5), value, np.float32)


def colours(value: float) -> np.ndarray:
    return np.full((4, 5, 3), value, np.float32)


def layer(value: float, variance: float) -> Layer:
    return Layer(colours(value), plane(variance))


def test_means_that_explain_everything_are_kept() -> None:
    ours, theirs = unmix(colours(130), plane(0.3), layer(200, 50), layer(100, 50))
    np.testing.assert_allclose(ours, 200, atol=1e-3)
    np.testing.assert_allclose(theirs, 100, atol=1e-3)


def test_what_is_left_goes_to_the_layer_that_varies() -> None:
    seen, half = colours(170), plane(0.5)  # 20 over the means' mix
    steady, other = unmix(seen, half, layer(200, 0), layer(100, 900))
    np.testing.assert_allclose(steady, 200, atol=1e-3)
    np.testing.assert_allclose(other, 140, atol=0.5)
    lively, other = unmix(seen, half, layer(200, 900), layer(100, 0))
    np.testing.assert_allclose(lively, 240, atol=0.5)
    np.testing.assert_allclose(other, 100, atol=1e-3)


def test_a_whole_share_takes_what_is_seen() -> None:
    ours, _ = unmix(colours(77), plane(1), layer(200, 400), layer(100, 400))
    np.testing.assert_allclose(ours, 77, atol=1)


def test_a_layer_is_gathered_where_it_is_pure() -> None:
    picture = np.full((40, 40, 3), 10, np.float32)
    picture[:, 20:] = 90
    share = (picture[..., 0] == 90).astype(np.float32)
    found = local_layer(picture, share)
    np.testing.assert_allclose(found.mean[:, 18:], 90, atol=0.1)
    np.testing.assert_allclose(found.variance[:, 18:], 0, atol=0.5)
    np.testing.assert_allclose(found.mean[:, :5], 10, atol=0.1)  # none near: what is there


def test_a_shorter_reach_sees_less_far() -> None:
    picture = np.full((40, 40, 3), 10, np.float32)
    picture[:, 20:] = 90
    whole = np.ones((40, 40), np.float32)
    assert local_layer(picture, whole, reach=3).mean[20, 17, 0] > 15
    np.testing.assert_allclose(local_layer(picture, whole, reach=2).mean[20, 17], 10, atol=1e-3)


def test_variance_is_the_mean_over_channels() -> None:
    stripes = np.zeros((30, 30, 3), np.float32)
    stripes[:, 1::2, 0] = 20
    found = local_layer(stripes, np.ones((30, 30), np.float32))
    np.testing.assert_allclose(found.variance[10:20, 10:20], 100 / 3, rtol=0.03)


def test_a_layer_is_read_between_its_pixels() -> None:
    ramp = np.zeros((4, 5, 3), np.float32)
    ramp[..., 1] = np.arange(5)
    x, y = np.array([[0.5], [3.25], [9]], np.float32), np.array([[1], [2], [0]], np.float32)
    found = Layer(ramp, ramp[..., 1].copy()).at(x, y)
    np.testing.assert_allclose(found.mean[:, 0, 1], [0.5, 3.25, 4], atol=0.05)
    np.testing.assert_allclose(found.variance[:, 0], [0.5, 3.25, 4], atol=0.05)


def test_what_is_put_is_there_and_nothing_else() -> None:
    made = Layer.empty(6, 7)
    made.put((slice(1, 5), slice(2, 7)), layer(30, 4))
    np.testing.assert_array_equal(made.mean[1:5, 2:], 30)
    np.testing.assert_array_equal(made.variance[1:5, 2:], 4)
    assert made.mean.sum() == 30 * 4 * 5 * 3
    assert made.variance.sum() == 4 * 4 * 5
