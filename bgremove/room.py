"""Limit the memory of the pictures in progress."""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType

from bgremove.deadline import Deadline
from bgremove.errors import ClientGoneError, OverloadedError

WAITING = "waiting for memory"
LOOK_S = 1.0  # between two checks that the client is still connected
NO_MEMORY = "The memory for pictures is in use, and none was free within the limit of {:g} seconds"


class Room:
    """Room for ``size`` bytes in total; a single picture always has room, whatever its size.

    Pictures enter in the order of arrival, so that small ones cannot delay a large one forever.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._changed = threading.Condition()  # guards the attributes below
        self._in_use = 0
        self._line: deque[Claim] = deque()

    def claim(self) -> Claim:
        """Return a claim of no bytes yet."""
        return Claim(self)

    def _enter(self, claim: Claim, size: int, deadline: Deadline) -> None:
        has_waited = False
        with self._changed:
            self._line.append(claim)
            try:
                while self._line[0] is not claim or not self._fits(size):
                    has_waited = True
                    self._check(deadline)
                    self._changed.wait(min(LOOK_S, deadline.remaining_s))
                if has_waited:
                    self._check(deadline)
                self._in_use += size
            finally:
                self._line.remove(claim)
                self._changed.notify_all()

    @staticmethod
    def _check(deadline: Deadline) -> None:
        """Raise an error where waiting has no use; nothing has been worked on yet."""
        if deadline.remaining_s <= deadline.work_s:
            raise OverloadedError(NO_MEMORY.format(deadline.timeout_s))
        if deadline.is_abandoned():
            raise ClientGoneError(WAITING)

    def _fits(self, size: int) -> bool:
        return not self._in_use or self._in_use + size <= self._size

    def _give_back(self, size: int) -> None:
        with self._changed:
            self._in_use -= size
            self._changed.notify_all()


class Claim:
    """The memory of one picture: taken once, then only given back. One thread uses it at a time."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._bytes = 0

    def take(self, size: int, deadline: Deadline) -> None:
        """Wait until there is room for ``size`` bytes.

        Raises:
            OverloadedError: There was no room in time for the work before ``deadline``.
            ClientGoneError: The client has disconnected.

        """
        self._room._enter(self, size, deadline)
        self._bytes = size

    def shrink(self, size: int) -> None:
        """Give back all but ``size`` bytes."""
        if size < self._bytes:
            self._room._give_back(self._bytes - size)
            self._bytes = size

    def release(self) -> None:
        """Give back everything."""
        self.shrink(0)

    def __enter__(self) -> Claim:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()
