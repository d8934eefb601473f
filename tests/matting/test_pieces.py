from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.matting.pieces import drop_ghosts, misses_piece
from bgremove.matting.refine import FOG, refine
from tests.matting.pictures import disc, textured

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32


def subject_and(value: float, side: int) -> ArrayF32:
    """Return a map of a disc, and of a square of ``side`` cells apart from it."""
    saliency = disc(320, 320, radius=80, softness=3)
    saliency[10 : 10 + side, 10 : 10 + side] = value
    return saliency


def test_a_faint_piece_apart_is_cleared() -> None:
    saliency = subject_and(0.45, side=40)
    cleared = drop_ghosts(saliency, FOG)
    assert (cleared[:60, :60] == 0).all()
    np.testing.assert_array_equal(cleared[60:], saliency[60:])


def test_a_crumb_is_cleared_and_a_second_subject_stays() -> None:
    assert (drop_ghosts(subject_and(1, side=4), FOG)[:60, :60] == 0).all()
    small = subject_and(1, side=6)
    np.testing.assert_array_equal(drop_ghosts(small, FOG), small)


def test_what_is_faint_but_joined_to_the_subject_stays() -> None:
    saliency = disc(320, 320, radius=80, softness=3)
    saliency[158:161, 10:160] = np.maximum(saliency[158:161, 10:160], 0.3)
    np.testing.assert_array_equal(drop_ghosts(saliency, FOG), saliency)


def test_a_map_without_anything_solid_is_left_alone() -> None:
    saliency = np.zeros((64, 64), np.float32)
    saliency[5:20, 5:20] = 0.4
    saliency[40:50, 40:50] = 0.3
    np.testing.assert_array_equal(drop_ghosts(saliency, FOG), saliency)


def test_the_matte_has_no_ghost() -> None:
    alpha = refine(subject_and(0.45, side=40), textured(400, 400))
    assert (alpha[:75, :75] == 0).all()
    assert alpha[200, 200] == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_nothing_is_raised_and_the_largest_piece_stays(side: int, seed: int) -> None:
    saliency = np.random.default_rng(seed).random((side, side), dtype=np.float32)
    cleared = drop_ghosts(saliency, FOG)
    kept = cleared > 0
    np.testing.assert_array_equal(cleared[kept], saliency[kept])
    assert kept.any()


def test_a_faint_piece_that_is_left_out_is_reported_where_it_is_no_stain() -> None:
    assert misses_piece(subject_and(0.45, side=40), FOG)
    assert not misses_piece(subject_and(0.2, side=40), FOG)
    assert not misses_piece(subject_and(0.45, side=8), FOG)
    assert not misses_piece(subject_and(0.9, side=40), FOG)
