"""Places for concurrent work, with a bounded queue. Surplus requests are refused at once."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bgremove.deadline import Deadline
from bgremove.errors import ClientGoneError, DeadlineExceededError, OverloadedError

WAITING = "waiting for a place"
LOOK_S = 1.0  # between two checks that the client is still connected
NEWEST = 0.25  # weight of the newest picture in the typical time of a picture
LONGEST_RETRY_S = 60
TOO_LATE = "The server is too busy to finish this picture within the limit of {:g} seconds"


class Places:
    """``places`` requests are worked on, ``queue`` more may wait, and the next is refused.

    A free place goes to the request that has waited longest. A semaphore lets a new request
    overtake the queue and sends the woken request back to its end: with 16 clients at 2 places, the
    95th percentile of the wait was twice the median.

    When recent pictures took long, the queue is shorter: it holds only requests that can finish in
    time. Without this, 18 clients with pictures of 50 megapixels got 37 answers of 502 after 20 s,
    and 18 of 200.

    ``on_change`` is called with the numbers of places in use and of waiting requests when either
    changes.
    """

    def __init__(
        self, places: int, queue: int, on_change: Callable[[int, int], None] = lambda *_: None
    ) -> None:
        self._message = f"All {places} places are taken and the queue of {queue} is full"
        self._limits = places, queue
        self._lock = threading.Lock()  # guards the fields below and the order of calls to on_change
        self._in_use = 0
        self._typical_s = 0.0  # moving average of the time a place is held
        self._waiting: deque[threading.Event] = deque()
        self._on_change = on_change

    @contextmanager
    def take(self, deadline: Deadline) -> Iterator[float]:
        """Hold a place for the block; yield the seconds spent waiting for it.

        Raises:
            OverloadedError: The queue is full, or the estimated time exceeds the deadline.
            DeadlineExceededError: No place became free before ``deadline``.
            ClientGoneError: The client has closed its connection.

        """
        started = time.perf_counter()
        turn = self._enter(deadline)
        while not turn.wait(min(LOOK_S, deadline.remaining_s)):
            try:
                deadline.check(WAITING)
            except (DeadlineExceededError, ClientGoneError):
                if self._gave_up(turn):
                    raise
            if self._will_be_late(turn, deadline) and self._gave_up(turn):
                raise self._too_late(deadline)
        try:
            deadline.check(WAITING)
            if deadline.remaining_s < self._typical_s / 2:
                raise self._too_late(deadline)
            waited_s = time.perf_counter() - started
            with self._timed():
                yield waited_s
        finally:
            self._leave()

    @contextmanager
    def _timed(self) -> Iterator[None]:
        """Measure the time of a picture that succeeds or exceeds its deadline."""
        started = time.monotonic()
        try:
            yield
        except DeadlineExceededError:
            self._learn(time.monotonic() - started)
            raise
        self._learn(time.monotonic() - started)

    def _learn(self, took_s: float) -> None:
        with self._lock:
            self._typical_s += NEWEST * (took_s - self._typical_s)

    def _too_late(self, deadline: Deadline) -> OverloadedError:
        places, _ = self._limits
        wait_s = math.ceil((len(self._waiting) + 1) / places * self._typical_s)
        retry_s = min(max(wait_s, 1), LONGEST_RETRY_S)
        return OverloadedError(TOO_LATE.format(deadline.timeout_s), retry_after_s=retry_s)

    def _enter(self, deadline: Deadline) -> threading.Event:
        """Return an event that is set when the request has a place."""
        places, queue = self._limits
        turn = threading.Event()
        with self._lock:
            if self._in_use < places:
                self._in_use += 1
                turn.set()
            elif len(self._waiting) >= queue:
                raise OverloadedError(self._message)
            elif deadline.remaining_s < self._typical_s * ((len(self._waiting) + 1) / places + 1):
                raise self._too_late(deadline)
            else:
                self._waiting.append(turn)
            self._tell()
        return turn

    def _will_be_late(self, turn: threading.Event, deadline: Deadline) -> bool:
        """Return True if the queue is now too slow for a waiting request to finish in time."""
        places, _ = self._limits
        with self._lock:
            if turn.is_set():
                return False
            ahead = self._waiting.index(turn)
            return deadline.remaining_s < self._typical_s * (ahead / places + 1)

    def _gave_up(self, turn: threading.Event) -> bool:
        """Leave the queue; return False if the request got a place at the same moment."""
        with self._lock:
            if turn.is_set():
                return False
            self._waiting.remove(turn)
            self._tell()
            return True

    def _leave(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._in_use -= 1
            self._tell()

    def _tell(self) -> None:
        self._on_change(self._in_use, len(self._waiting))
