"""Bounded places and a bounded queue: what cannot be served in time is refused at once."""

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
LOOK_S = 1.0  # between two looks whether the client is still there
NEWEST = 0.25  # weight of the newest picture in the typical time of a picture
LONGEST_RETRY_S = 60
TOO_LATE = "The server is too busy to finish this picture within the limit of {:g} seconds"


class Places:
    """``places`` requests are worked on, ``queue`` more may wait, the next is refused.

    A place that comes free is handed to whoever has waited longest. A semaphore would let who comes
    just then overtake, and send who was woken in vain to the end of the queue: with 16 clients at 2
    places the 95th percentile of the wait was twice the median.

    Where the last pictures took long, fewer may wait: no more than are finished in time. Without
    that, 18 clients with pictures of 50 megapixels had 37 answers of 502 after 20 s, and 18 of 200.

    ``on_change`` is called with the numbers of both when either changes.
    """

    def __init__(
        self, places: int, queue: int, on_change: Callable[[int, int], None] = lambda *_: None
    ) -> None:
        self._message = f"All {places} places are taken and the queue of {queue} is full"
        self._limits = places, queue
        self._lock = threading.Lock()  # guards what follows, and the order in which it is told
        self._in_use = 0
        self._typical_s = 0.0  # that a place was held of late
        self._waiting: deque[threading.Event] = deque()
        self._on_change = on_change

    @contextmanager
    def take(self, deadline: Deadline) -> Iterator[float]:
        """Hold a place, waiting for one until ``deadline``; give the seconds that took.

        Raises:
            OverloadedError: The queue is full, or the time is too short, as far as can be foreseen.
            DeadlineExceededError: No place came free in time.
            ClientGoneError: Nobody waits for the answer any more.

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
        """Learn how long a picture takes: one that is cut out, or passes its deadline."""
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
        """Return an event that is set once there is a place."""
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
        """Tell whether pictures take so long by now that one in the queue is finished too late."""
        places, _ = self._limits
        with self._lock:
            if turn.is_set():
                return False
            ahead = self._waiting.index(turn)
            return deadline.remaining_s < self._typical_s * (ahead / places + 1)

    def _gave_up(self, turn: threading.Event) -> bool:
        """Leave the queue; False where a place was handed over in this very moment."""
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
