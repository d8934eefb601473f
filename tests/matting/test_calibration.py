"""Confidence follows the evidence and never claims to be certain."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgremove.matting.calibration import expected_iou

shares = st.floats(0, 1)


@given(shares, shares, st.none() | shares)
def test_more_certainty_never_lowers_confidence(
    a: float, b: float, agreement: float | None
) -> None:
    low, high = sorted((a, b))
    assert expected_iou(low, agreement) <= expected_iou(high, agreement)


@given(shares, shares, shares)
def test_more_agreement_never_lowers_confidence(certainty: float, a: float, b: float) -> None:
    low, high = sorted((a, b))
    assert expected_iou(certainty, low) <= expected_iou(certainty, high)


@given(shares, st.none() | shares)
def test_confidence_stays_inside_its_range(certainty: float, agreement: float | None) -> None:
    assert 0 < expected_iou(certainty, agreement) < 1


@pytest.mark.parametrize(("agreement", "sure"), [(0.95, True), (0.4, False), (0.1, False)])
def test_networks_that_disagree_are_never_sure(agreement: float, sure: bool) -> None:
    assert (expected_iou(0.97, agreement) >= 0.8) is sure
