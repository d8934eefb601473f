"""Places for concurrent work, with a bounded queue; surplus and late requests are refused.

The pace of recent pictures predicts which requests would be late.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from bgremove.deadline import Deadline
from bgremove.errors import ClientGoneError, DeadlineExceededError, OverloadedError

WAITING = "waiting for a place"
LOOK_S = 1.0  # between two checks that the client is still connected
LONGEST_RETRY_S = 60
TOO_LATE = "The server is too busy to finish this picture within the limit of {:g} seconds"
FIRST_PACE = 1.5  # before the first picture: half again as slow as the machine of the estimates
FIRST_WEIGHT_S = 1.0  # seconds of estimated work that the first value counts as
NEWEST = 0.25  # weight of the newest picture
MOST = 4.0  # times the expectation that a picture counts at most; one that hangs is no measure


@dataclass(slots=True, eq=False)
class Turn:
    """A request that works or waits.

    ``estimated_s``: its work, as `cost.seconds` estimates it. ``started_at``: the worker's time of
    work when it got its place.
    """

    estimated_s: float
    has_place: threading.Event = field(default_factory=threading.Event)
    started_at: float = 0.0


class Places:
    """``places`` requests are worked on, ``queue`` more may wait, and the next is refused.

    A free place goes to the request that has waited longest. A semaphore lets a new request
    overtake the queue and sends the woken request back to its end: with 16 clients at 2 places, the
    95th percentile of the wait was twice the median.

    A request that could not finish by its deadline is refused on entry. Its time is the sum of the
    estimated work before it and its own, at the pace of recent pictures. A request with nothing
    before it is always worked on.

    ``on_change`` is called with the numbers of places in use and of waiting requests when either
    changes.
    """

    def __init__(
        self, places: int, queue: int, on_change: Callable[[int, int], None] = lambda *_: None
    ) -> None:
        self._full_message = f"All {places} places are taken and the queue of {queue} is full"
        self._limits = places, queue
        self._lock = threading.Lock()  # guards the fields below and the order of calls to on_change
        self._working: list[Turn] = []
        self._waiting: deque[Turn] = deque()
        self._pace = Pace()
        # Seconds of work for each request so far. While n work, a second of the clock gives 1/n.
        self._work_s = 0.0
        self._counted_until = time.monotonic()
        self._on_change = on_change

    @contextmanager
    def take(self, deadline: Deadline, estimated_s: float = 0.0) -> Iterator[float]:
        """Hold a place for the block; yield the seconds spent waiting for it.

        Args:
            deadline: The deadline of the request.
            estimated_s: Estimate of its work; 0 where it is unknown or next to nothing.

        Raises:
            OverloadedError: The queue is full, or the request would be late.
            ClientGoneError: The client has closed its connection.

        """
        started = time.perf_counter()
        turn = Turn(estimated_s)
        self._enter(turn, deadline)
        has_waited = not turn.has_place.is_set()
        while not turn.has_place.wait(min(LOOK_S, deadline.remaining_s)):
            if deadline.is_abandoned() and self._leave_queue(turn):
                raise ClientGoneError(WAITING)
            if self._is_late(turn, deadline) and self._leave_queue(turn):
                raise self._too_late(turn, deadline)
        try:
            if deadline.is_abandoned():
                raise ClientGoneError(WAITING)
            if has_waited and deadline.remaining_s < self.expected_s(estimated_s):
                raise self._too_late(turn, deadline)
            yield time.perf_counter() - started
            self._learn(turn)
        except DeadlineExceededError:
            self._learn(turn)
            raise
        finally:
            self._leave(turn)

    def expected_s(self, estimated_s: float) -> float:
        """Return the seconds that estimated work will take at the present pace."""
        with self._lock:
            return self._pace.expected_s(estimated_s)

    def _enter(self, turn: Turn, deadline: Deadline) -> None:
        """Give the request a place or put it in the queue."""
        places, queue = self._limits
        with self._lock:
            self._count_work()
            has_room = len(self._working) < places
            if not has_room and len(self._waiting) >= queue:
                retry_s = _retry_s(self._half_queue_s())
                raise OverloadedError(self._full_message, retry_after_s=retry_s)
            if self._working and deadline.remaining_s < self._until_done_s(turn):
                raise self._too_late_locked(turn, deadline)
            if has_room:
                self._start(turn)
            else:
                self._waiting.append(turn)
            self._tell()

    def _start(self, turn: Turn) -> None:
        turn.started_at = self._work_s
        self._working.append(turn)
        turn.has_place.set()

    def _leave(self, turn: Turn) -> None:
        with self._lock:
            self._count_work()
            self._working.remove(turn)
            if self._waiting:
                self._start(self._waiting.popleft())
            self._tell()

    def _leave_queue(self, turn: Turn) -> bool:
        """Leave the queue; return False if the request got a place at the same moment."""
        with self._lock:
            if turn.has_place.is_set():
                return False
            self._waiting.remove(turn)
            self._tell()
            return True

    def _is_late(self, turn: Turn, deadline: Deadline) -> bool:
        """Return whether a waiting request can no longer finish by its deadline."""
        with self._lock:
            self._count_work()
            remaining_s = deadline.remaining_s
            return remaining_s <= 0 or remaining_s < self._until_done_s(turn)

    def _until_done_s(self, turn: Turn) -> float:
        """Return the expected seconds until a new or waiting request is finished."""
        ahead = list(self._waiting)
        if turn in ahead:
            ahead = ahead[: ahead.index(turn)]
        expected = self._pace.expected_s
        left_s = sum(
            max(0.0, expected(one.estimated_s) - self._done_s(one)) for one in self._working
        )
        return left_s + sum(expected(one.estimated_s) for one in (*ahead, turn))

    def _half_queue_s(self) -> float:
        """Return the expected seconds of work on the first half of the queue.

        A refused client comes back after that time at the earliest: a crowd that comes back after
        one second takes cores from the pictures and is refused again.
        """
        half = list(self._waiting)[: math.ceil(len(self._waiting) / 2)]
        return sum(self._pace.expected_s(one.estimated_s) for one in half)

    def _too_late(self, turn: Turn, deadline: Deadline) -> OverloadedError:
        with self._lock:
            self._count_work()
            return self._too_late_locked(turn, deadline)

    def _too_late_locked(self, turn: Turn, deadline: Deadline) -> OverloadedError:
        """Make the error, with the seconds after which the request would be in time.

        The caller holds the lock and has counted the work.
        """
        wait_s = max(self._until_done_s(turn) - deadline.timeout_s, self._half_queue_s())
        return OverloadedError(TOO_LATE.format(deadline.timeout_s), retry_after_s=_retry_s(wait_s))

    def _learn(self, turn: Turn) -> None:
        with self._lock:
            self._count_work()
            self._pace.learn(turn.estimated_s, self._done_s(turn))

    def _done_s(self, turn: Turn) -> float:
        """Return the seconds that were worked on a request so far."""
        return self._work_s - turn.started_at

    def _count_work(self) -> None:
        """Count the time since the last change of the number of working requests."""
        now = time.monotonic()
        self._work_s += (now - self._counted_until) / max(1, len(self._working))
        self._counted_until = now

    def _tell(self) -> None:
        self._on_change(len(self._working), len(self._waiting))


def _retry_s(wait_s: float) -> int:
    """Return the value of Retry-After for a wait."""
    return min(max(math.ceil(wait_s), 1), LONGEST_RETRY_S)


class Pace:
    """The pace of this machine: the ratio of real to estimated seconds over recent pictures.

    The sums are averaged, not the ratios, so that a picture counts by its work. `Places` locks it.
    """

    def __init__(self) -> None:
        self._took_s = FIRST_PACE * FIRST_WEIGHT_S
        self._estimated_s = FIRST_WEIGHT_S

    def expected_s(self, estimated_s: float) -> float:
        """Return the seconds that estimated work will take on this machine."""
        return estimated_s * self._took_s / self._estimated_s

    def learn(self, estimated_s: float, took_s: float) -> None:
        """Count a finished picture; one without an estimate is not counted."""
        if estimated_s <= 0:
            return
        took_s = min(took_s, MOST * self.expected_s(estimated_s))
        self._took_s += NEWEST * (took_s - self._took_s)
        self._estimated_s += NEWEST * (estimated_s - self._estimated_s)
