"""Timing of the stages of a request, with a check of the deadline after each."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from bgremove.deadline import Deadline


class Stages:
    """Times stages by name, adds up repeated ones, and checks the deadline after each.

    The time of a stage inside another one counts for the inner one only.
    """

    def __init__(self, deadline: Deadline) -> None:
        self.deadline = deadline
        self.ms: dict[str, float] = {}

    @contextmanager
    def stage(self, name: str, *, is_last: bool = False) -> Iterator[None]:
        """Time a stage; raises DeadlineExceededError after it when the deadline has passed.

        The last stage is not checked: the result is ready, and the client waits for it.
        """
        started, timed_ms = time.perf_counter(), sum(self.ms.values())
        yield
        inner_ms = sum(self.ms.values()) - timed_ms
        elapsed_ms = (time.perf_counter() - started) * 1000 - inner_ms
        self.ms[name] = round(self.ms.get(name, 0.0) + elapsed_ms, 2)
        if not is_last:
            self.deadline.check(name)
