from __future__ import annotations

import numpy as np

from bgremove.matting.fusion import fuse
from tests.matting.pictures import disc, saliency_of


def test_the_larger_size_is_kept_whichever_comes_first() -> None:
    truth = disc(400, 400, radius=90)
    small, large = saliency_of(truth, 40), saliency_of(truth, 100)
    fused = fuse(small, large)
    assert fused.shape == (100, 100)
    assert fused.dtype == np.float32
    np.testing.assert_allclose(fused, fuse(large, small), atol=1e-6)
    assert np.abs(fused - large).mean() < 0.02


def test_the_surer_map_wins() -> None:
    sure = np.zeros((50, 50), np.float32)
    sure[10:30, 10:30] = 1
    unsure = np.full((50, 50), 0.3, np.float32)
    unsure[30:45, 30:45] = 0.6
    np.testing.assert_allclose(fuse(sure, unsure), sure, atol=1e-3)


def test_two_empty_maps_are_averaged() -> None:
    low, high = np.full((9, 9), 0.1, np.float32), np.full((9, 9), 0.2, np.float32)
    np.testing.assert_allclose(fuse(low, high), 0.15, rtol=1e-5)
