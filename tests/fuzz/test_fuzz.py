"""A short run of each fuzz target; `make fuzz` runs for longer."""

from __future__ import annotations

import itertools

import pytest

from tests.fuzz.__main__ import TARGETS, cases, outcome_of

CASES = {"pictures": 120, "forms": 500, "keys": 500, "manifests": 150, "channel": 400}


@pytest.mark.parametrize("name", TARGETS)
def test_damaged_input_is_read_or_refused(name: str) -> None:
    seeds_of, opened = TARGETS[name]
    outcomes = set()
    with opened() as tried:
        for data in itertools.islice(cases(seeds_of(), seed=1), CASES[name]):
            outcome = outcome_of(tried, data)
            assert not outcome.startswith("finding"), (data[:200], outcome)
            outcomes.add(outcome)
    assert len(outcomes) > 1  # neither everything is read nor everything refused


def test_a_target_that_breaks_is_a_finding() -> None:
    def broken(_: bytes) -> str:
        raise KeyError("x")

    assert outcome_of(broken, b"").startswith("finding: Traceback")
