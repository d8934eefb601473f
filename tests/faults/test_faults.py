"""Each scenario of `make fault-test` once, in short form; hangs fail it, slowness does not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.finding import Finding
from faults.overload import overload
from faults.scenarios import SCENARIOS, Scenario
from faults.soak import Mix, soak
from faults.stand import Ground
from harness.nginx import program

OVERLOAD_S = 3.0
SOAK_REQUESTS = 60


@pytest.fixture(scope="module")
def ground(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ground]:
    program()  # skips without nginx
    ground = Ground(tmp_path_factory.mktemp("faults"), weights, times=1, strict=False)
    yield ground
    ground.close()


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
def test_no_more_is_lost_than_may_be(ground: Ground, scenario: Scenario) -> None:
    judge(list(scenario(ground)))


@pytest.mark.slow  # its counts depend on the load of the machine; `make overload` checks them
def test_overload_refuses_and_serves(ground: Ground) -> None:
    judge(list(overload(ground, OVERLOAD_S)))


@pytest.mark.slow
def test_a_long_mix_leaves_nothing_behind(ground: Ground) -> None:
    judge(list(soak(ground, SOAK_REQUESTS, Mix())))


def judge(found: list[Finding]) -> None:
    for one in found:
        assert one.faults == [], one
    if all(one.skipped for one in found):
        pytest.skip(found[0].skipped)
