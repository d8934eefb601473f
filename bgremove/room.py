"""Limit the pixels of the pictures in progress, and with them the memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from bgremove.deadline import Deadline

WAITING = "waiting for memory"
LOOK_S = 1.0  # between two checks that the client is still connected


class Room:
    """Room for ``pixels`` in total; a single picture always has room, whatever its size.

    Pictures enter in the order of arrival, so that small ones cannot delay a large one forever.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._changed = threading.Condition()  # guards the attributes below
        self._in_use = 0
        self._line: deque[object] = deque()

    @contextmanager
    def held(self, pixels: int, deadline: Deadline) -> Iterator[None]:
        """Wait until there is room for a picture and hold it for the block. Zero never waits.

        Raises:
            DeadlineExceededError: There was no room before ``deadline``.
            ClientGoneError: The client has disconnected.

        """
        if not pixels:
            yield
            return
        self._enter(pixels, deadline)
        try:
            yield
        finally:
            with self._changed:
                self._in_use -= pixels
                self._changed.notify_all()

    def _enter(self, pixels: int, deadline: Deadline) -> None:
        ticket = object()
        with self._changed:
            self._line.append(ticket)
            try:
                while self._line[0] is not ticket or not self._fits(pixels):
                    deadline.check(WAITING)
                    self._changed.wait(min(LOOK_S, deadline.remaining_s))
                self._in_use += pixels
            finally:
                self._line.remove(ticket)
                self._changed.notify_all()

    def _fits(self, pixels: int) -> bool:
        return not self._in_use or self._in_use + pixels <= self._pixels
