"""Which service gets the next picture: the least busy of those that do not rest."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from urllib3.exceptions import InvalidHeader
from urllib3.response import BaseHTTPResponse
from urllib3.util.retry import Retry

# How a service is left alone after failures in a row: 0, 1, 2, 4 ... seconds and up to half a
# second more, or what its Retry-After says.
PATTERN = Retry(
    total=None, backoff_factor=0.5, backoff_jitter=0.5, backoff_max=30, retry_after_max=3600
)
IDLE_S = 0.05  # between two looks, while every service rests


class NoServerError(Exception):
    """No service took the picture in time, or the batch was stopped while it waited."""


@dataclass(slots=True, eq=False)
class Server:
    """A service, and how it fares; guarded by the lock of its `Servers`."""

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
        """Hold the least busy service that does not rest, waiting for one until ``until``.

        Raises NoServerError where none will be there by then (of ``time.monotonic``).
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
            # The next of two that are equally busy is the other one.
            self._servers.remove(server)
            self._servers.append(server)
            return server

    def answered(self, server: Server) -> None:
        """Note that a service is well."""
        with self._lock:
            server.failures = PATTERN

    def failed(self, server: Server, response: BaseHTTPResponse | None = None) -> bool:
        """Let a service rest that did not answer, or answered that it has no place.

        Returns whether it was well before.
        """
        with self._lock:
            now = time.monotonic()
            if server.rests_until > now:  # several pictures met the same failure
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
