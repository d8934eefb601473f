"""Alarms ring when they are due, not before, and not once what they guard has ended."""

from __future__ import annotations

import threading
import time

import pytest

from bgremove.serving.alarms import Alarms


def test_what_lasts_too_long_is_told_of() -> None:
    rung = threading.Event()
    started = time.monotonic()
    with Alarms().guard(started + 0.1, rung.set):
        assert rung.wait(60)
    assert time.monotonic() - started >= 0.1


def test_what_ends_in_time_is_not() -> None:
    alarms, rung, later = Alarms(), threading.Event(), threading.Event()
    at = 0.0
    while time.monotonic() >= at:  # on a busy machine, the block may end too late
        rung.clear()
        at = time.monotonic() + 0.05
        with alarms.guard(at, rung.set):
            pass
    alarms.set(at, later.set)
    assert later.wait(60)
    assert not rung.is_set()


def test_an_earlier_alarm_does_not_wait_for_the_one_that_was_first() -> None:
    alarms, rung = Alarms(), threading.Event()
    with alarms.guard(time.monotonic() + 1000, lambda: None):
        time.sleep(0.05)  # until the thread sleeps for the first one
        alarms.set(time.monotonic() + 0.05, rung.set)
        assert rung.wait(60)


def test_an_alarm_rings_once_or_as_often_as_it_says() -> None:
    alarms, done, later = Alarms(), threading.Event(), threading.Event()
    rung: list[float] = []

    def again() -> float | None:
        rung.append(time.monotonic())
        if len(rung) < 3:
            return rung[-1] + 0.05
        done.set()
        return None

    alarms.set(time.monotonic(), again)
    assert done.wait(60)
    alarms.set(time.monotonic() + 0.1, later.set)
    assert later.wait(60)
    assert len(rung) == 3
    assert rung[2] - rung[0] >= 0.1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_call_that_fails_does_not_end_the_others() -> None:
    alarms, rung = Alarms(), threading.Event()

    def fail() -> None:
        raise RuntimeError

    alarms.set(time.monotonic(), fail)
    time.sleep(0.1)
    alarms.set(time.monotonic(), rung.set)
    assert rung.wait(60)


def test_a_crowd_of_threads_loses_no_alarm() -> None:
    alarms = Alarms()
    rung: list[int | None] = []

    def crowd(number: int) -> None:
        for turn in range(50):
            with alarms.guard(time.monotonic() + 1000, lambda: rung.append(None)):
                alarms.set(time.monotonic() + 0.001 * (turn % 5), lambda: rung.append(number))

    threads = [threading.Thread(target=crowd, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    end = time.monotonic() + 60
    while len(rung) < 400 and time.monotonic() < end:
        time.sleep(0.01)
    assert sorted(rung) == sorted(list(range(8)) * 50)
