"""The limit of concurrent requests with a body; the other threads serve health checks."""

from __future__ import annotations

import threading

from bgremove.errors import OverloadedError

READERS = 8  # bodies read at once, besides those that hold a place or wait for one
SPARE_THREADS = 6  # for requests without a body, refusals and closing connections


class Bodies:
    """Counts requests with a body, from their headers until their answer is sent."""

    def __init__(self, at_most: int) -> None:
        self._at_most = at_most
        self._lock = threading.Lock()  # guards the fields below
        self.at_work = 0
        self.finished = 0  # in all

    def enter(self) -> bool:
        """Count one more request; return False if the limit is reached."""
        with self._lock:
            if self.at_work >= self._at_most:
                return False
            self.at_work += 1
            return True

    def leave(self) -> None:
        """Count an admitted request as finished."""
        with self._lock:
            self.at_work -= 1
            self.finished += 1

    def refusal(self) -> OverloadedError:
        """Make the error for a request that was not admitted."""
        return OverloadedError(
            f"All {self._at_most} uploads that this server takes at once are under way"
        )
