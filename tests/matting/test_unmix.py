from __future__ import annotations

import numpy as np

from bgremove.matting.unmix import Layer, local_layer, unmix


def plane(value: float) -> np.ndarray:
    return np.full((4, 5), value, np.float32)


def layer(value: float, variance: float) -> Layer:
    return Layer([plane(value)] * 3, plane(variance))


def test_means_that_explain_everything_are_kept() -> None:
    colours = unmix([plane(130)] * 3, plane(0.3), layer(200, 50), layer(100, 50))
    np.testing.assert_allclose(colours, 200, atol=1e-3)


def test_what_is_left_goes_to_the_layer_that_varies() -> None:
    seen, half = [plane(170)] * 3, plane(0.5)  # 20 over the means' mix
    steady = unmix(seen, half, layer(200, 0), layer(100, 900))
    lively = unmix(seen, half, layer(200, 900), layer(100, 0))
    np.testing.assert_allclose(steady, 200, atol=1e-3)
    np.testing.assert_allclose(lively, 240, atol=0.5)


def test_a_whole_share_takes_what_is_seen() -> None:
    colours = unmix([plane(77)] * 3, plane(1), layer(200, 400), layer(100, 400))
    np.testing.assert_allclose(colours, 77, atol=1)


def test_a_layer_is_gathered_where_it_is_pure() -> None:
    colours = np.full((40, 40), 10, np.float32)
    colours[:, 20:] = 90
    share = (colours == 90).astype(np.float32)
    found = local_layer([colours] * 3, share)
    np.testing.assert_allclose(found.means[0][:, 18:], 90, atol=0.1)
    np.testing.assert_allclose(found.variance[:, 18:], 0, atol=0.5)
    np.testing.assert_allclose(found.means[1][:, :5], 10, atol=0.1)  # none near: what is there


def test_variance_is_the_mean_over_channels() -> None:
    stripes = np.tile(np.float32([0, 20]), (30, 15))
    found = local_layer([stripes, stripes * 0, stripes * 0], np.ones((30, 30), np.float32))
    np.testing.assert_allclose(found.variance[10:20, 10:20], 100 / 3, rtol=0.03)
