"""Bound the pixels of the pictures that are worked on at once, and with them the memory."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from bgremove.deadline import Deadline

WAITING = "waiting for memory"
LOOK_S = 1.0  # between two looks whether the client is still there


class Room:
    """Room for ``pixels`` in all; one picture has room always, however large.

    Pictures enter in the order in which they come, so that small ones do not keep a large one out.
    """

    def __init__(self, pixels: int) -> None:
        self._pixels = pixels
        self._changed = threading.Condition()  # guards what follows
        self._in_use = 0
        self._line: deque[object] = deque()

    @contextmanager
    def held(self, pixels: int, deadline: Deadline) -> Iterator[None]:
        """Hold room for a picture, waiting for it until ``deadline``.

        Raises:
            DeadlineExceededError: There was no room in time.
            ClientGoneError: Nobody waits for the answer any more.

        """
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
