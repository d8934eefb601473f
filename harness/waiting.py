"""Wait for a state of a server, never for a time."""

from __future__ import annotations

import time
from collections.abc import Callable

from harness.programs import LOOK_EVERY_S, START_S


def until(what: Callable[[], bool], bound_s: float = START_S) -> float:
    """Wait until a condition holds; return the time in seconds, or fail at the limit."""
    started = time.monotonic()
    while not what():
        assert time.monotonic() - started < bound_s, f"not true within {bound_s:g} s"
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - started
