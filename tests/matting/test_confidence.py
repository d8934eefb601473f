from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgremove.matting.confidence import (
    certainty,
    doubt,
    expected_iou,
    has_subject,
    have_subject,
    strength,
)
from tests.matting.pictures import disc


def test_strength_is_the_mean_of_the_highest_cells() -> None:
    saliency = np.zeros((100, 100), np.float32)
    saliency[40, 40:50] = 0.8
    assert strength(saliency) == pytest.approx(0.8)
    saliency[40, 45:50] = 0
    assert strength(saliency) == pytest.approx(0.4)


def test_a_tiny_map_has_a_strength() -> None:
    assert strength(np.array([[0.2, 0.7]], np.float32)) == pytest.approx(0.7)


def test_an_empty_map_has_no_subject_however_it_is_stretched() -> None:
    noise = np.random.default_rng(0).random((320, 320), dtype=np.float32) * 0.02
    assert not has_subject(noise)
    assert certainty(noise) == 0


def test_a_clear_map_has_a_subject_and_full_confidence() -> None:
    saliency = (disc(320, 320, radius=60) > 0.5).astype(np.float32)
    assert has_subject(saliency)
    assert certainty(saliency) == pytest.approx(1)


def test_the_threshold_can_be_a_models_own() -> None:
    faint = np.full((320, 320), 0.1, np.float32)
    assert not has_subject(faint)
    assert has_subject(faint, min_strength=0.05)


def test_confidence_is_the_expected_intersection_over_union() -> None:
    saliency = np.array([[0.9, 0.9], [0.4, 0.0]], np.float32)
    assert certainty(saliency) == pytest.approx((1.8 / (2 + 0.4)) ** 3)


def test_doubt_lowers_confidence() -> None:
    sure = disc(320, 320, radius=80, softness=1)
    doubtful = np.asarray(sure * 0.6 + 0.05, np.float32)
    assert certainty(doubtful) < certainty(sure)


def test_two_networks_must_both_see_at_least_a_little() -> None:
    nothing, faint, clear = (np.full((64, 64), v, np.float32) for v in (0.01, 0.06, 0.99))
    assert not have_subject(nothing, clear)
    assert not have_subject(faint, faint)
    assert have_subject(faint, clear)


shares = st.floats(0, 1)


@given(shares, shares, st.none() | shares)
def test_more_certainty_never_lowers_confidence(
    a: float, b: float, agreement: float | None
) -> None:
    low, high = sorted((a, b))
    assert expected_iou(low, agreement) <= expected_iou(high, agreement)


@given(shares, shares, shares)
def test_more_agreement_never_lowers_confidence(sure: float, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert expected_iou(sure, low) <= expected_iou(sure, high)


@given(shares, st.none() | shares)
def test_confidence_stays_inside_its_range(sure: float, agreement: float | None) -> None:
    assert 0 < expected_iou(sure, agreement) < 1


@pytest.mark.parametrize(("agreement", "sure"), [(0.95, True), (0.4, False), (0.1, False)])
def test_networks_that_disagree_are_never_sure(agreement: float, sure: bool) -> None:
    assert (expected_iou(0.97, agreement) >= 0.8) is sure


def test_doubt_at_an_edge_does_not_count() -> None:
    assert doubt(disc(320, 320, radius=80, softness=2)) == 0


@pytest.mark.parametrize("level", [0.05, 0.9])
def test_doubt_is_a_share_of_the_subject(level: float) -> None:
    saliency = np.zeros((320, 320), np.float32)
    saliency[100:200, 100:200] = 1
    saliency[100:200, 220:270] = level  # a second thing
    area = 10_000 + 5_000 * (level > 0.5)
    assert doubt(saliency) == pytest.approx(5_000 / area)


def test_without_a_subject_doubt_is_boundless() -> None:
    assert doubt(np.zeros((32, 32), np.float32)) == np.inf
