"""What places tell of themselves; how they are bounded is in test_errors.py."""

from __future__ import annotations

import threading

import pytest

from bgremove.api.places import Places
from bgremove.deadline import Deadline
from bgremove.errors import DeadlineExceededError, OverloadedError


def test_how_many_work_and_wait_is_told_in_order() -> None:
    places, told = Places(1, 1), []
    places.on_change = lambda *counts: told.append(counts)
    with places.take(Deadline.after(10)) as waited_s:
        assert 0 <= waited_s < 1
        with pytest.raises(DeadlineExceededError), places.take(Deadline.after(0.01)):
            raise AssertionError("there was no place")
    assert told == [(0, 1), (1, 0), (1, 1), (1, 0), (0, 0)]


def test_who_is_refused_never_counts_as_waiting() -> None:
    places, told = Places(1, 0), []
    with places.take(Deadline.after(10)):
        places.on_change = lambda *counts: told.append(counts)
        with pytest.raises(OverloadedError), places.take(Deadline.after(10)):
            raise AssertionError("there was no place")
        assert told == []


def test_the_wait_that_is_given_is_the_time_until_there_was_a_place() -> None:
    places, held, leave = Places(1, 1), threading.Event(), threading.Event()

    def hold() -> None:
        with places.take(Deadline.after(10)):
            held.set()
            leave.wait(10)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(10)
    threading.Timer(0.2, leave.set).start()
    with places.take(Deadline.after(10)) as waited_s:
        assert waited_s >= 0.15
    thread.join(10)
