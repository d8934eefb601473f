"""Ghosts and specks go, dips are filled, and openings and second subjects stay."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.datatypes import ArrayF32
from bgremove.matting import pieces
from bgremove.matting.pieces import (
    FLOOR,
    drop_ghosts,
    drop_specks,
    fill_dips,
    misses_piece,
    speck_boxes,
)
from bgremove.matting.refine import FOG, refine
from tests.matting.pictures import disc, textured


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


@pytest.mark.parametrize("side", [320, 640, 1024])
@pytest.mark.parametrize("depth", [0.3, 0.5, 0.7])
def test_a_dip_that_the_subject_encloses_is_lifted(side: int, depth: float) -> None:
    subject = disc(side, side, radius=side * 0.35, softness=3)
    dip = disc(side, side, radius=side * 0.05, softness=side * 0.02)
    filled = fill_dips(subject - dip * (1 - depth))
    assert filled[disc(side, side, radius=side * 0.3) == 1].min() >= 0.85
    outside = disc(side, side, radius=side * 0.36) == 0
    np.testing.assert_array_equal(filled[outside], subject[outside])


@pytest.mark.parametrize("level", [0.0, 0.1, FLOOR - 0.05])
def test_an_opening_stays_open(level: float) -> None:
    saliency = disc(320, 320, radius=100)
    saliency[disc(320, 320, radius=30) == 1] = level
    np.testing.assert_array_equal(fill_dips(saliency), saliency)


def test_a_dip_that_is_open_to_the_ground_stays() -> None:
    saliency = disc(320, 320, radius=100)
    saliency[150:170, 160:] = np.minimum(saliency[150:170, 160:], 0.4)
    np.testing.assert_array_equal(fill_dips(saliency), saliency)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 40), st.integers(0, 2**32 - 1))
def test_no_cell_is_lowered_or_leaves_the_range(side: int, seed: int) -> None:
    saliency = np.random.default_rng(seed).random((side, side), dtype=np.float32)
    filled = fill_dips(saliency)
    assert (filled >= saliency).all()
    assert filled.max() <= 1


def test_pinholes_are_closed_and_islands_removed() -> None:
    alpha = disc(400, 600, radius=120)
    alpha[200:202, 300:303] = 0.2  # six pixels within the subject
    alpha[10:13, 20:22] = 0.9  # six pixels far from it
    drop_specks(alpha)
    np.testing.assert_array_equal(alpha, disc(400, 600, radius=120))


def test_openings_and_pieces_that_are_larger_stay() -> None:
    alpha = disc(400, 600, radius=120)
    alpha[200:205, 300:305] = 0.2
    alpha[10:15, 20:25] = 0.9
    expected = alpha.copy()
    drop_specks(alpha)
    np.testing.assert_array_equal(alpha, expected)


def dots(height: int, width: int, apart: int) -> np.ndarray:
    mask = np.zeros((height, width), np.uint8)
    mask[1::apart, 1::apart] = 1
    return mask


def test_the_specks_of_a_texture_are_not_even_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dither of 50 megapixels has millions; their outlines alone would take a gigabyte."""
    mask = dots(1200, 1600, 3)
    alpha = mask.astype(np.float32)
    monkeypatch.setattr(cv2, "findContours", None)
    assert speck_boxes(mask, 12) == []
    drop_specks(alpha)
    np.testing.assert_array_equal(alpha, mask)


@pytest.mark.parametrize("more", [False, True])
def test_specks_are_removed_up_to_a_number(monkeypatch: pytest.MonkeyPatch, more: bool) -> None:
    mask = dots(60, 60, 6)
    alpha = mask.astype(np.float32)
    assert len(speck_boxes(mask, 12)) == 100
    monkeypatch.setattr(pieces, "MOST_SPECKS", 99 if more else 100)
    drop_specks(alpha)
    assert alpha.any() == more


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(2, 60), st.integers(0, 2**32 - 1))
def test_no_speck_is_left_inside_a_picture(height: int, width: int, seed: int) -> None:
    noise = np.random.default_rng(seed).random((height, width), dtype=np.float32)
    alpha = np.asarray(cv2.GaussianBlur(noise, (0, 0), 1.0), np.float32)
    alpha = (alpha - alpha.min()) / max(float(np.ptp(alpha)), 1e-6)
    for _ in range(3):  # a piece removed may join two others to one that is small as well
        drop_specks(alpha)
    assert alpha.min() >= 0
    assert alpha.max() <= 1
    for inside in (0, 1):
        part = ((alpha >= 0.5) == inside).view(np.uint8)
        _, _, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=4 + 4 * inside)
        for x, y, w, h, area in stats[1:]:
            if x > 0 and y > 0 and x + w < width and y + h < height:
                assert area > 12
