from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.matting import refine as module
from bgremove.matting.refine import refine
from tests.matting.pictures import GREEN, RED, disc, flat, mix, saliency_of, textured


@pytest.mark.parametrize("shape", [(600, 800), (1500, 2000), (2999, 1801)])
def test_edges_lie_on_the_pictures_edges(shape: tuple[int, int]) -> None:
    truth = disc(*shape, radius=min(shape) * 0.3)
    picture = mix(flat(*shape, RED), textured(*shape), truth)
    saliency = saliency_of(truth)
    alpha = refine(saliency, picture)
    linear = cv2.resize(saliency, shape[::-1], interpolation=cv2.INTER_LINEAR)
    assert alpha.dtype == np.float32
    assert alpha.shape == shape
    assert np.abs(alpha - truth).mean() < 0.5 * np.abs(linear - truth).mean()
    assert np.count_nonzero((alpha > 0.5) != (truth > 0.5)) < 0.002 * truth.size


def test_straight_edges_stay_straight() -> None:
    truth = np.zeros((1200, 1600), np.float32)
    truth[:, 803:] = 1
    alpha = refine(saliency_of(truth), mix(flat(1200, 1600, RED), flat(1200, 1600, GREEN), truth))
    columns = (alpha > 0.5).argmax(axis=1)
    assert np.abs(columns - 803).max() <= 1


def test_solid_and_empty_are_exact() -> None:
    truth = disc(700, 900, radius=250)
    alpha = refine(saliency_of(truth), mix(flat(700, 900, RED), textured(700, 900), truth))
    assert (alpha[disc(700, 900, radius=200) == 1] == 1).all()
    assert (alpha[disc(700, 900, radius=300) == 0] == 0).all()


def test_the_matte_is_the_same_with_every_number_of_threads() -> None:
    noise = np.random.default_rng(0).random((320, 320), np.float32)
    blurred = np.asarray(cv2.GaussianBlur(noise, (0, 0), 3), np.float32)
    saliency = (blurred - blurred.min()) / np.ptp(blurred)
    had = cv2.getNumThreads()
    try:
        for shape in [(306, 479), (1147, 745), (1744, 1402)]:
            picture = textured(*shape)
            mattes = []
            for threads in (1, 2, 3, 8):
                cv2.setNumThreads(threads)
                mattes.append(refine(saliency, picture).tobytes())
            assert len(set(mattes)) == 1, shape
    finally:
        cv2.setNumThreads(had)


def test_ipp_is_left_as_it_was() -> None:
    before = cv2.ipp.useIPP()
    refine(np.full((32, 32), 0.5, np.float32), textured(60, 60))
    assert cv2.ipp.useIPP() == before


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_certain_map_gives_a_certain_matte(value: float) -> None:
    saliency = np.full((32, 32), value, np.float32)
    assert (refine(saliency, textured(150, 211)) == value).all()


@pytest.mark.parametrize(("level", "expected"), [(0.14, 0.0), (0.96, 1.0), (0.35, 0.0)])
def test_fog_is_removed_and_solid_made_opaque(level: float, expected: float) -> None:
    alpha = refine(np.full((40, 40), level, np.float32), textured(300, 300))
    np.testing.assert_allclose(alpha, expected, atol=2e-3)


def test_soft_edges_stay_soft() -> None:
    truth = disc(600, 600, radius=180, softness=20)
    alpha = refine(saliency_of(truth, 160), mix(flat(600, 600, RED), flat(600, 600, GREEN), truth))
    ring = (truth > 0.3) & (truth < 0.7)
    assert np.abs(alpha - truth)[ring].mean() < 0.08


def test_tiles_leave_no_seams(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = disc(500, 640, radius=170, softness=4)
    picture = mix(textured(500, 640, 1), textured(500, 640, 2), truth)
    saliency = saliency_of(truth)
    monkeypatch.setattr(module, "WORK_SIDE", 320)
    tiled = refine(saliency, picture)
    monkeypatch.setattr(module, "TILE", 1000)
    np.testing.assert_allclose(tiled, refine(saliency, picture), atol=2e-3)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 90), st.integers(1, 90), st.integers(0, 2**32 - 1))
def test_any_size_gives_a_matte_of_that_size(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    alpha = refine(rng.random((9, 9), dtype=np.float32), picture)
    assert alpha.shape == (height, width)
    assert np.isfinite(alpha).all()
    assert alpha.min() >= 0
    assert alpha.max() <= 1


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (2, 2601)])
def test_slivers_are_refined(shape: tuple[int, int]) -> None:
    saliency = saliency_of(disc(100, 100, radius=30))
    assert refine(saliency, textured(*shape)).shape == shape
