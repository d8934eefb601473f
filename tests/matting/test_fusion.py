from __future__ import annotations

import numpy as np

from bgremove.matting.fusion import agreement, fuse
from tests.matting.pictures import disc, saliency_of


def test_the_largest_size_is_kept_whichever_comes_first() -> None:
    truth = disc(400, 400, radius=90)
    small, large = saliency_of(truth, 40), saliency_of(truth, 100)
    fused = fuse(small, large)
    assert fused.shape == (100, 100)
    assert fused.dtype == np.float32
    np.testing.assert_allclose(fused, fuse(large, small), atol=1e-6)


def test_where_maps_agree_the_edges_of_the_largest_stay_sharp() -> None:
    truth = disc(400, 400, radius=90)
    small, large = saliency_of(truth, 40), saliency_of(truth, 200)
    assert np.abs(fuse(small, large) - large).max() < 0.15
    assert np.abs(fuse(small, large) - large).mean() < 0.02


def test_the_surer_map_wins() -> None:
    sure = np.zeros((50, 50), np.float32)
    sure[10:30, 10:30] = 1
    unsure = np.full((50, 50), 0.3, np.float32)
    unsure[30:45, 30:45] = 0.6
    assert np.array_equal(fuse(sure, unsure) > 0.5, sure > 0.5)


def test_equal_doubt_stays_doubt() -> None:
    yes, no = np.full((9, 9), 0.9, np.float32), np.full((9, 9), 0.9, np.float32)
    yes[4:], no[:4] = 0.1, 0.1  # the same certainty of opposite halves
    np.testing.assert_allclose(fuse(yes[:8], no[:8]), 0.5, atol=0.01)


def test_empty_maps_stay_empty() -> None:
    low, high = np.full((9, 9), 0.1, np.float32), np.full((9, 9), 0.2, np.float32)
    assert 0.1 < fuse(low, high).mean() < 0.2
    assert agreement(low, high) == 0


def test_three_maps_are_fused_by_majority() -> None:
    yes, no = np.full((8, 8), 0.9, np.float32), np.full((8, 8), 0.9, np.float32)
    no[2:6, 2:6] = 0.1
    assert (fuse(yes, yes, no) > 0.5).all()


def test_agreement_is_the_iou_of_the_subjects() -> None:
    left, both = np.zeros((20, 20), np.float32), np.zeros((40, 40), np.float32)
    left[:, :10] = 1
    both[:, :30] = 1
    assert agreement(left, both) == agreement(both, left) == 10 / 15
