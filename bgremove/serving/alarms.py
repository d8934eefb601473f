"""Calls that become due unless what they guard ends before: one thread for all of a worker."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Alarm:
    """A call that becomes due at ``at`` (of ``time.monotonic``); it may name a later moment."""

    def __init__(self, at: float, call: Callable[[], float | None]) -> None:
        self.at = at
        self.call = call


class Alarms:
    """Safe to use from several threads; the thread that rings starts with the first alarm.

    An alarm costs 4 µs: the thread wakes for the earliest only, and seldom is a new one that.
    Calls run one after another, so that each must be short.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()  # guards what follows
        self._set: set[Alarm] = set()
        self._wakes_at = math.inf
        self._is_started = False

    def set(self, at: float, call: Callable[[], float | None]) -> Alarm:
        """Have ``call`` called at ``at``, and again at the moment that it returns, if any."""
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
        """Take an alarm back; one whose call has begun is not stopped."""
        with self._changed:
            self._set.discard(alarm)

    @contextmanager
    def guard(self, at: float, call: Callable[[], float | None]) -> Iterator[None]:
        """Have ``call`` called if the block lasts until ``at``."""
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
        """Wait for the earliest alarm, and return those whose moment has come."""
        with self._changed:
            self._wakes_at = min((alarm.at for alarm in self._set), default=math.inf)
            if (wait_s := self._wakes_at - time.monotonic()) > 0:
                self._changed.wait(None if math.isinf(wait_s) else wait_s)
            now = time.monotonic()
            return [alarm for alarm in self._set if alarm.at <= now]

    def _ring(self, alarm: Alarm) -> None:
        with self._changed:
            if alarm not in self._set:  # its block has just ended
                return
            alarm.at = math.inf
        again_at = alarm.call()
        if again_at is None:
            self.cancel(alarm)
        else:
            alarm.at = again_at
