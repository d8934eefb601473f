from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.matting.solid import fill_inside
from tests.matting.pictures import disc


def test_doubt_inside_is_lifted_and_edges_are_kept() -> None:
    saliency = disc(320, 320, radius=100, softness=3)
    saliency[140:180, 140:180] = 0.85
    filled = fill_inside(saliency)
    np.testing.assert_allclose(filled[disc(320, 320, radius=90) == 1], 1, atol=1e-6)
    ring = disc(320, 320, radius=98) == 0
    np.testing.assert_array_equal(filled[ring], saliency[ring])


def test_a_cloud_that_fades_is_lifted_without_a_step() -> None:
    across = np.linspace(0.2, 1, 320, dtype=np.float32)
    saliency = np.broadcast_to(across, (320, 320))
    filled = fill_inside(saliency)
    assert filled.max() == 1
    assert (filled[:, 250:300] > saliency[:, 250:300] + 0.05).all()
    assert np.abs(np.diff(filled, axis=1)).max() < 0.02


def test_a_real_hole_stays_a_hole() -> None:
    saliency = disc(320, 320, radius=100) - disc(320, 320, radius=30)
    filled = fill_inside(saliency)
    assert (filled[disc(320, 320, radius=30) == 1] == 0).all()


def test_thin_parts_are_not_touched() -> None:
    saliency = np.zeros((200, 200), np.float32)
    saliency[:, 100:104] = 0.7
    np.testing.assert_array_equal(fill_inside(saliency), saliency)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_nothing_is_lowered_or_leaves_the_range(side: int, seed: int) -> None:
    saliency = np.random.default_rng(seed).random((side, side), dtype=np.float32)
    filled = fill_inside(saliency)
    assert (filled >= saliency).all()
    assert filled.max() <= 1 + 1e-6
