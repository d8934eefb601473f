"""Bounded places and a bounded queue: what cannot be served in time is refused at once."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from bgremove.deadline import Deadline
from bgremove.errors import OverloadedError


class Places:
    """``places`` requests are worked on, ``queue`` more may wait, the next is refused."""

    def __init__(self, places: int, queue: int) -> None:
        self._places = threading.Semaphore(places)
        self._admitted = threading.Semaphore(places + queue)
        self._message = f"All {places} places are taken and the queue of {queue} is full"

    @contextmanager
    def take(self, deadline: Deadline) -> Iterator[None]:
        """Hold a place, waiting for one until ``deadline``.

        Raises OverloadedError at once when the queue is full, and DeadlineExceededError when no
        place came free in time.
        """
        if not self._admitted.acquire(blocking=False):
            raise OverloadedError(self._message)
        try:
            if not self._places.acquire(timeout=deadline.remaining_s):
                raise deadline.exceeded("waiting for a place")
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._admitted.release()
