"""Bodies are counted and bounded, and so is the memory of everything at once."""

from __future__ import annotations

import re

import pytest

from bgremove.serving.capacity import Bodies, memory_bytes
from bgremove.settings import Settings
from tests.support.http import ROOT


def test_as_many_as_may_be_are_let_in_and_the_next_once_one_has_left() -> None:
    bodies = Bodies(2)
    assert [bodies.enter() for _ in range(3)] == [True, True, False]
    bodies.leave()
    assert bodies.enter()
    assert (bodies.at_work, bodies.finished) == (2, 1)


def test_the_refusal_says_how_many_there_may_be() -> None:
    assert "All 26 uploads" in Bodies(26).refusal().message


@pytest.mark.parametrize(
    ("path", "limit"),
    [
        ("compose.yaml", r"mem_limit: (\d+)m\n  pids_limit"),
        ("systemd/bgremove@.service", r"MemoryMax=(\d+)M\n"),
        ("systemd/bgremove@.service", r"MemoryHigh=(\d+)M\n"),
        ("kubernetes/deployment.yaml", r"limits:\n\s+cpu: \S+\n\s+memory: (\d+)Mi\n"),
    ],
)
def test_everything_at_once_fits_the_memory_of_the_shipped_deployments(
    path: str, limit: str
) -> None:
    text = (ROOT / "deploy" / path).read_text("utf-8")
    (mib,) = re.findall(limit, text)
    assert memory_bytes(Settings()) <= int(mib) * 1024 * 1024


def test_memory_follows_each_setting_that_bounds_it() -> None:
    usual = memory_bytes(Settings())
    assert memory_bytes(Settings(places=3)) > usual
    assert memory_bytes(Settings(queue=17)) > usual
    assert memory_bytes(Settings(max_upload_bytes=20 << 20)) > usual
    assert memory_bytes(Settings(max_pixels=12_000_000)) < usual
