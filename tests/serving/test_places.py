"""The order in which places are handed out, and what they tell; test_errors.py has the bounds."""

from __future__ import annotations

import threading
import time

import pytest

from bgremove.deadline import Deadline
from bgremove.errors import (
    ClientGoneError,
    DeadlineExceededError,
    ImageError,
    OverloadedError,
)
from bgremove.serving import places as module
from bgremove.serving.places import Places


def test_places_are_handed_out_in_the_order_in_which_they_were_asked_for() -> None:
    asked, served = threading.Event(), []
    places = Places(1, 3, lambda *_: asked.set())

    def ask(name: str) -> None:
        with places.take(Deadline.after(60)):
            served.append(name)

    threads = [threading.Thread(target=ask, args=(name,)) for name in ("first", "second")]
    with places.take(Deadline.after(60)):
        for thread in threads:
            asked.clear()
            thread.start()
            assert asked.wait(60)
    ask("newcomer")  # at once: a thread that has just given a place back is not even switched
    for thread in threads:
        thread.join(60)
    assert served == ["first", "second", "newcomer"]


def test_who_gave_up_does_not_get_the_place_in_anothers_stead() -> None:
    places, gone = Places(1, 2), pytest.raises(DeadlineExceededError)
    with places.take(Deadline.after(60)), gone, places.take(Deadline.after(0)):
        raise AssertionError("there was no place")
    with places.take(Deadline.after(0.1)):
        pass


def test_no_place_is_lost_or_made_under_a_crowd() -> None:
    told = []
    places = Places(2, 4, lambda *counts: told.append(counts))
    inside = threading.Semaphore(2)

    def crowd(number: int) -> None:
        for turn in range(200):
            try:
                with places.take(Deadline.after(0.001 * ((number + turn) % 3))):
                    assert inside.acquire(blocking=False)
                    inside.release()
            except (DeadlineExceededError, OverloadedError):
                continue

    threads = [threading.Thread(target=crowd, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert told[-1] == (0, 0)
    assert max(told) <= (2, 4)
    assert max(waiting for _, waiting in told) <= 4


def test_how_many_work_and_wait_is_told_in_order() -> None:
    told = []
    places = Places(1, 1, lambda *counts: told.append(counts))
    with places.take(Deadline.after(60)) as waited_s:
        assert waited_s >= 0
        with pytest.raises(DeadlineExceededError), places.take(Deadline.after(0.01)):
            raise AssertionError("there was no place")
    assert told == [(1, 0), (1, 1), (1, 0), (0, 0)]


def test_who_is_refused_never_counts_as_waiting() -> None:
    told = []
    places = Places(1, 0, lambda *counts: told.append(counts))
    with places.take(Deadline.after(60)):
        told.clear()
        with pytest.raises(OverloadedError), places.take(Deadline.after(60)):
            raise AssertionError("there was no place")
        assert told == []


def test_the_wait_that_is_given_is_the_time_until_there_was_a_place() -> None:
    places, held, leave = Places(1, 1), threading.Event(), threading.Event()

    def hold() -> None:
        with places.take(Deadline.after(60)):
            held.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(60)
    threading.Timer(0.2, leave.set).start()
    with places.take(Deadline.after(60)) as waited_s:
        assert waited_s >= 0.15
    thread.join(60)


def test_who_has_gone_leaves_the_queue_and_the_next_moves_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    told = []
    places = Places(1, 2, lambda *counts: told.append(counts))
    gone = pytest.raises(ClientGoneError)
    with places.take(Deadline.after(60)):
        told.clear()
        with gone, places.take(Deadline.after(60, lambda: bool(told))):
            raise AssertionError("nobody waited for it")
        assert told == [(1, 1), (1, 0)]
    with places.take(Deadline.after(60)):
        pass


def test_who_has_gone_gives_back_the_place_that_came_just_then() -> None:
    places = Places(1, 0)
    with pytest.raises(ClientGoneError), places.take(Deadline.after(60, lambda: True)):
        raise AssertionError("nobody waited for it")
    with places.take(Deadline.after(60)):
        pass


class Clock:
    """A clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def work(places: Places, clock: Clock, seconds: float) -> None:
    with places.take(Deadline.after(1000)):
        clock.now += seconds


def refuse(places: Places, clock: Clock, seconds: float) -> None:
    with places.take(Deadline.after(1000)):
        clock.now += seconds
        raise ImageError("damaged")


def test_a_picture_that_would_be_late_is_refused_on_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, places = Clock(monkeypatch), Places(1, 16)
    for _ in range(30):
        work(places, clock, 8)
    with places.take(Deadline.after(20)):
        with pytest.raises(OverloadedError) as refused, places.take(Deadline.after(15)):
            pass
        assert "15 seconds" in refused.value.message
        assert refused.value.retry_after_s == 8
        gone = Deadline.after(17, lambda: True)  # waits, and is found to have no client
        with pytest.raises(ClientGoneError), places.take(gone):
            raise AssertionError("there was no place")


def test_pictures_that_are_refused_say_nothing_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, places = Clock(monkeypatch), Places(1, 1)
    for _ in range(30):
        with pytest.raises(ImageError):
            refuse(places, clock, 8)
    assert places._typical_s == 0


def test_a_free_place_is_given_whatever_pictures_took(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, places = Clock(monkeypatch), Places(1, 1)
    for _ in range(30):
        work(places, clock, 30)
    with places.take(Deadline.after(20)):
        pass
    with pytest.raises(OverloadedError), places.take(Deadline.after(10)):
        raise AssertionError("there was too little time")


def test_the_queue_is_refused_once_pictures_are_seen_to_take_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    places, refused = Places(1, 3), []

    def ask() -> None:
        try:
            with places.take(Deadline.after(60)):
                pass
        except OverloadedError as error:
            refused.append(error.retry_after_s)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    with places.take(Deadline.after(60)):
        for thread in threads:
            thread.start()
        while len(places._waiting) < 3:
            time.sleep(0.005)
        places._learn(100)  # a quarter of that is typical now: two of them are finished in 50 s
        while len(refused) < 1:
            time.sleep(0.005)
    for thread in threads:
        thread.join(60)
    assert len(refused) == 1
