"""Bounded places and a bounded queue: what cannot be served in time is refused at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bgremove.deadline import Deadline
from bgremove.errors import OverloadedError


class Places:
    """``places`` requests are worked on, ``queue`` more may wait, the next is refused.

    ``on_change`` is told how many are worked on and how many wait, in order, when either changes.
    """

    def __init__(self, places: int, queue: int) -> None:
        self._places = threading.Semaphore(places)
        self._admitted = threading.Semaphore(places + queue)
        self._message = f"All {places} places are taken and the queue of {queue} is full"
        self._lock = threading.Lock()  # guards the two counts and the order they are told in
        self._in_use = self._waiting = 0
        self.on_change: Callable[[int, int], None] = lambda *_: None

    @contextmanager
    def take(self, deadline: Deadline) -> Iterator[float]:
        """Hold a place, waiting for one until ``deadline``; give the seconds that took.

        Raises OverloadedError at once when the queue is full, and DeadlineExceededError when no
        place came free in time.
        """
        if not self._admitted.acquire(blocking=False):
            raise OverloadedError(self._message)
        try:
            started = time.perf_counter()
            self._count(in_use=0, waiting=1)
            has_place = self._places.acquire(timeout=deadline.remaining_s)
            self._count(in_use=int(has_place), waiting=-1)
            if not has_place:
                raise deadline.exceeded("waiting for a place")
            try:
                yield time.perf_counter() - started
            finally:
                self._count(in_use=-1, waiting=0)
                self._places.release()
        finally:
            self._admitted.release()

    def _count(self, *, in_use: int, waiting: int) -> None:
        with self._lock:
            self._in_use += in_use
            self._waiting += waiting
            self.on_change(self._in_use, self._waiting)
