"""Timed calls for guarded blocks. One thread of a worker runs all of them."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Alarm:
    """A call at the time ``at`` (of ``time.monotonic``). It may return a time for another call."""

    def __init__(self, at: float, call: Callable[[], float | None]) -> None:
        self.at = at
        self.call = call


class Alarms:
    """The alarms of a worker, set and cancelled from any thread.

    The thread for calls starts with the first alarm. An alarm costs 4 µs: the thread wakes only for
    the earliest alarm, and a new alarm is seldom the earliest. Calls run one after another, so each
    must be short.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()  # guards the fields below
        self._set: set[Alarm] = set()
        self._wakes_at = math.inf
        self._is_started = False

    def set(self, at: float, call: Callable[[], float | None]) -> Alarm:
        """Schedule ``call`` for ``at``. If it returns a time, it is called again at that time."""
        alarm = Alarm(at, call)
        with self._changed:
            self._set.add(alarm)
            if not self._is_started:
                threading.Thread(target=self._run, name="alarms", daemon=True).start()
                self._is_started = True
            if at < self._wakes_at:
                self._changed.notify()
        return alarm

    def cancel(self, alarm: Alarm) -> None:
        """Cancel an alarm. A call that has begun is not stopped."""
        with self._changed:
            self._set.discard(alarm)

    @contextmanager
    def guard(self, at: float, call: Callable[[], float | None]) -> Iterator[None]:
        """Run ``call`` if the block lasts until ``at``."""
        alarm = self.set(at, call)
        try:
            yield
        finally:
            self.cancel(alarm)

    def _run(self) -> None:
        try:
            while True:
                for alarm in self._due():
                    self._ring(alarm)
        finally:  # a call failed: the next alarm starts another thread
            self._is_started = False

    def _due(self) -> list[Alarm]:
        """Wait for the earliest alarm and return all alarms that are due."""
        with self._changed:
            self._wakes_at = min((alarm.at for alarm in self._set), default=math.inf)
            if (wait_s := self._wakes_at - time.monotonic()) > 0:
                self._changed.wait(None if math.isinf(wait_s) else wait_s)
            now = time.monotonic()
            return [alarm for alarm in self._set if alarm.at <= now]

    def _ring(self, alarm: Alarm) -> None:
        with self._changed:
            if alarm not in self._set:  # cancelled meanwhile
                return
            alarm.at = math.inf
        again_at = alarm.call()
        if again_at is None:
            self.cancel(alarm)
        else:
            alarm.at = again_at
