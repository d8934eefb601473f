from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bgremove.matting.foreground import estimate_foreground
from bgremove.matting.refine import refine
from tests.matting.pictures import RED, disc, flat, mix, saliency_of, textured


def band_error(bgr: np.ndarray, truth: np.ndarray, alpha: np.ndarray) -> float:
    band = (alpha > 0.1) & (alpha < 0.9)
    return float(np.abs(bgr.astype(float) - truth)[band].mean())


def shaded(height: int, width: int) -> np.ndarray:
    """Return a subject that brightens to the right."""
    picture = flat(height, width, RED)
    picture[..., 0] = np.linspace(20, 120, width).astype(np.uint8)
    return picture


@pytest.mark.parametrize("softness", [3, 8])
@pytest.mark.parametrize("shape", [(500, 640), (1300, 1290)])
def test_colour_error_is_a_tenth_of_copying(shape: tuple[int, int], softness: float) -> None:
    alpha = disc(*shape, radius=min(shape) * 0.3, softness=softness)
    truth = shaded(*shape)
    picture = mix(truth, textured(*shape), alpha)
    found = estimate_foreground(picture, alpha)
    assert band_error(found, truth, alpha) <= 0.1 * band_error(picture, truth, alpha)


def test_end_to_end_colour_error_is_a_third_of_copying() -> None:
    truth = disc(600, 800, radius=200, softness=5)
    subject = shaded(600, 800)
    picture = mix(subject, textured(600, 800), truth)
    found = estimate_foreground(picture, refine(saliency_of(truth, 160), picture))
    assert band_error(found, subject, truth) <= band_error(picture, subject, truth) / 3


def test_opaque_and_empty_pixels_are_untouched() -> None:
    alpha = disc(400, 400, radius=120, softness=6)
    picture = mix(textured(400, 400, 3), textured(400, 400), alpha)
    kept = picture.copy()
    found = estimate_foreground(picture, alpha)
    whole = (alpha == 0) | (alpha == 1)
    np.testing.assert_array_equal(found[whole], picture[whole])
    assert (found[~whole] != picture[~whole]).any()
    np.testing.assert_array_equal(picture, kept)


def test_without_a_soft_edge_nothing_changes() -> None:
    picture = textured(300, 200)
    alpha = np.zeros((300, 200), np.float32)
    alpha[:, 100:] = 1
    np.testing.assert_array_equal(estimate_foreground(picture, alpha), picture)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 130), st.integers(1, 130), st.integers(0, 2**32 - 1))
def test_any_size_is_estimated(height: int, width: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    found = estimate_foreground(picture, rng.random((height, width), dtype=np.float32))
    assert found.shape == picture.shape
    assert found.dtype == np.uint8


@pytest.mark.parametrize("shape", [(1, 3000), (3000, 1), (2, 2601)])
def test_slivers_are_estimated(shape: tuple[int, int]) -> None:
    picture = textured(*shape)
    half = np.full(shape, 0.5, np.float32)
    assert estimate_foreground(picture, half).shape == picture.shape
