"""How many requests with a body a worker has at once: the threads beyond are for health."""

from __future__ import annotations

import threading

from bgremove.errors import OverloadedError

READERS = 8  # bodies read at once, beyond those that have a place or wait for one
SPARE_THREADS = 6  # for requests without a body, refusals, and connections that are being closed


class Bodies:
    """Counts the requests with a body from their headers until their answer has left."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._lock = threading.Lock()  # guards what follows
        self.at_work = 0
        self.finished = 0  # in all

    def enter(self) -> bool:
        """Count one more, or return False where there are as many as may be."""
        with self._lock:
            if self.at_work >= self._at_most:
                return False
            self.at_work += 1
            return True

    def leave(self) -> None:
        """Count one that has been let in as finished."""
        with self._lock:
            self.at_work -= 1
            self.finished += 1

    def refusal(self) -> OverloadedError:
        """Make the error for who was not let in."""
        return OverloadedError(
            f"All {self._at_most} uploads that this server takes at once are under way"
        )
