"""Choose the service for the next picture: the least busy one that is not backing off."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from urllib3.exceptions import InvalidHeader
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

# Delay after consecutive failures of a service: 0, 1, 2, 4 ... seconds plus up to half a second,
# or its Retry-After.
PATTERN = Retry(
    total=None, backoff_factor=0.5, backoff_jitter=0.5, backoff_max=30, retry_after_max=3600
)
IDLE_S = 0.05  # interval between checks while every service is backing off


class NoServerError(Exception):
    """No service accepted the picture in time, or the batch was stopped while it waited."""


@dataclass(slots=True, eq=False)
class Server:
    """A service and its load and failures; guarded by the lock of its `Servers`."""

    url: str
    busy: int = 0
    rests_until: float = 0.0  # of time.monotonic
    failures: Retry = field(default=PATTERN)


class Servers:
    """The services of a batch. Safe to use from several threads."""

    def __init__(self, urls: Sequence[str], stop: threading.Event) -> None:
        self._servers = [Server(url) for url in urls]
        self._stop = stop
        self._lock = threading.Lock()

    @contextmanager
    def turn(self, until: float) -> Iterator[Server]:
        """Reserve the least busy available service, waiting for one until ``until``.

        ``until`` is a time of ``time.monotonic``. Raises NoServerError if none is available then.
        """
        while (server := self._take()) is None:
            with self._lock:
                wakes_at = min(server.rests_until for server in self._servers)
            pause_s = wakes_at - time.monotonic()
            if wakes_at > until or self._stop.wait(max(pause_s, IDLE_S)):
                raise NoServerError
        try:
            yield server
        finally:
            with self._lock:
                server.busy -= 1

    def _take(self) -> Server | None:
        with self._lock:
            now = time.monotonic()
            awake = [server for server in self._servers if server.rests_until <= now]
            if not awake:
                return None
            server = min(awake, key=lambda server: server.busy)
            server.busy += 1
            # Rotate the list: equally busy services take turns.
            self._servers.remove(server)
            self._servers.append(server)
            return server

    def answered(self, server: Server) -> None:
        """Record that a service works."""
        with self._lock:
            server.failures = PATTERN

    def failed(self, server: Server, response: BaseHTTPResponse | None = None) -> bool:
        """Back off from a service that did not answer, or answered that it is busy.

        Returns whether it worked before.
        """
        with self._lock:
            now = time.monotonic()
            if server.rests_until > now:  # several pictures saw the same failure
                return False
            was_well = server.failures is PATTERN
            server.failures = server.failures.increment(response=response)
            asked_s = _retry_after_s(response)
            pause_s = server.failures.get_backoff_time() if asked_s is None else asked_s
            server.rests_until = now + pause_s
            return was_well


def _retry_after_s(response: BaseHTTPResponse | None) -> float | None:
    try:
        return None if response is None else PATTERN.get_retry_after(response)
    except InvalidHeader:
        return None
