"""Turns of network runs: one run alone uses all cores, two at once use one each.

Two int8 runs at once, each on one core, take less CPU time and finish more pictures than the same
runs one after the other on both cores (docs/tuning.md). A third run would only take memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bgremove.deadline import Deadline

AT_ONCE = 2  # runs; each holds up to 70 MB of activations


class Turns:
    """At most ``most`` runs are in progress at once; further ones wait."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._running = 0
        self._changed = threading.Condition()  # guards `_running`

    @contextmanager
    def take(self, deadline: Deadline) -> Iterator[bool]:
        """Hold a turn for the block; yield whether no other run was in progress at its start.

        Raises:
            DeadlineExceededError: There was no turn in time.

        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._running < self._most, deadline.remaining_s):
                raise deadline.exceeded("waiting for the network")
            self._running += 1
            is_alone = self._running == 1
        try:
            yield is_alone
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify()
