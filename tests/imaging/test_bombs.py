"""Every way in for a small file that costs much is refused before any decoder sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.imaging.bombs import ADMITTED, BOMBS

ROOT = Path(__file__).resolve().parents[2]
MAX_KIB = 24 * 1024
MAX_CPU_S = 3.0  # 0.2 s are measured at most, and 0.5 s on a busy machine


@pytest.fixture(scope="module")
def refusals() -> dict[str, tuple[float, int, str]]:
    """Refuse all bombs in a process of their own, where the peak of memory is theirs."""
    run = subprocess.run(
        [sys.executable, "-m", "tests.imaging.bombs"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        # Freed memory goes back at once, so that building the bombs leaves no room to hide in.
        env=os.environ | {"MALLOC_TRIM_THRESHOLD_": "0", "MALLOC_MMAP_THRESHOLD_": "65536"},
        timeout=120,
    )
    return json.loads(run.stdout)


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_little_cost(name, refusals):
    seconds, kib, message = refusals[name]
    assert BOMBS[name][1] in message
    assert any(digit in message for digit in "0123456789"), "names neither limit nor value"
    assert seconds < MAX_CPU_S
    assert kib < MAX_KIB


@pytest.mark.parametrize("name", ADMITTED)
def test_a_picture_with_much_metadata_is_let_in_at_little_cost(name, refusals):
    seconds, kib, message = refusals[name]
    assert not message
    assert seconds < MAX_CPU_S
    assert kib < MAX_KIB
