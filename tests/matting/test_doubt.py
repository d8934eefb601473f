"""Wide doubt is decided by colour; edges, and maps without doubt, are left alone."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.datatypes import ArrayF32
from bgremove.matting.doubt import resolve_doubt
from tests.matting.pictures import GREEN, RED, disc, flat, mix, textured


def doubtful(truth: ArrayF32, part: ArrayF32, level: float) -> ArrayF32:
    """Return the map of a network that is sure of ``truth`` but for ``part``."""
    soft = np.asarray(cv2.GaussianBlur(truth, (0, 0), 1.5), np.float32)
    return np.asarray(soft * (1 - part) + level * part, np.float32)


@pytest.mark.parametrize("level", [0.3, 0.5, 0.7])
def test_a_pane_of_the_subjects_colour_becomes_subject(level: float) -> None:
    truth = disc(320, 320, radius=100)
    pane = disc(320, 320, radius=40) * truth
    picture = mix(flat(600, 600, RED), flat(600, 600, GREEN), disc(600, 600, radius=187))
    decided = resolve_doubt(doubtful(truth, pane, level), picture)
    assert decided[disc(320, 320, radius=90) == 1].min() > 0.9


@pytest.mark.parametrize("level", [0.3, 0.5, 0.7])
def test_a_pane_of_the_grounds_colour_becomes_ground(level: float) -> None:
    truth = disc(320, 320, radius=60)
    pane = np.zeros((320, 320), np.float32)
    pane[10:60, 10:60] = 1
    picture = mix(flat(600, 600, RED), textured(600, 600), disc(600, 600, radius=112))
    decided = resolve_doubt(doubtful(truth, pane, level), picture)
    assert decided[15:55, 15:55].max() < 0.1


def test_doubt_no_wider_than_an_edge_stays() -> None:
    saliency = np.asarray(cv2.GaussianBlur(disc(320, 320, radius=80), (0, 0), 1.5), np.float32)
    assert resolve_doubt(saliency, textured(500, 500)) is saliency


@settings(max_examples=20, deadline=None)
@given(
    st.tuples(st.integers(1, 400), st.integers(1, 400)),
    st.sampled_from([1, 7, 64, 320, 640]),
    st.integers(0, 2**32 - 1),
)
def test_any_map_and_picture_gives_a_map_and_no_new_ghost(
    shape: tuple[int, int], side: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    cells = rng.random((max(1, side // 16), max(1, side // 16)), np.float32)
    saliency = np.asarray(cv2.resize(cells, (side, side)), np.float32)
    picture = rng.integers(0, 256, (*shape, 3), np.uint8)
    decided = resolve_doubt(saliency, picture)
    assert decided.shape == saliency.shape
    assert decided.dtype == np.float32
    assert decided.min() >= 0
    assert decided.max() <= 1
    unsure = np.count_nonzero((decided > 0.1) & (decided < 0.9))
    assert unsure <= np.count_nonzero((saliency > 0.1) & (saliency < 0.9)) * 1.05 + side


def test_the_same_picture_is_decided_alike_with_every_number_of_threads() -> None:
    noise = np.random.default_rng(0).random((40, 40), np.float32)
    saliency = np.asarray(cv2.resize(noise, (320, 320)), np.float32)
    picture = textured(700, 500)
    had = cv2.getNumThreads()
    try:
        answers = set()
        for threads in (1, 2, 4):
            cv2.setNumThreads(threads)
            answers.add(resolve_doubt(saliency, picture).tobytes())
    finally:
        cv2.setNumThreads(had)
    assert len(answers) == 1
