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
    places, gone = Places(1, 2), pytest.raises(OverloadedError)
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
            except OverloadedError:
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
        with pytest.raises(OverloadedError), places.take(Deadline.after(0.01)):
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
    with places.take(Deadline.after(1)):
        pass


def test_who_has_gone_gives_back_the_place_that_came_just_then() -> None:
    places = Places(1, 0)
    with pytest.raises(ClientGoneError), places.take(Deadline.after(60, lambda: True)):
        raise AssertionError("nobody waited for it")
    with places.take(Deadline.after(1)):
        pass


class Clock:
    """A clock that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr(time, "monotonic", lambda: self.now)


def work(places: Places, clock: Clock, estimated_s: float, seconds: float) -> None:
    with places.take(Deadline.after(1000), estimated_s):
        clock.now += seconds


def hang(places: Places, clock: Clock, estimated_s: float, seconds: float) -> None:
    with places.take(Deadline.after(seconds), estimated_s):
        clock.now += seconds
        raise Deadline.after(0).exceeded("inference")


def refuse(places: Places, clock: Clock, seconds: float) -> None:
    with places.take(Deadline.after(1000), 1.0):
        clock.now += seconds
        raise ImageError("damaged")


def test_a_picture_that_would_be_late_is_refused_before_any_time_is_known() -> None:
    """18 clients with pictures of 50 megapixels: the first ones already are refused in time."""
    places, leave, outcomes = Places(2, 16), threading.Event(), []

    def ask() -> None:
        try:
            with places.take(Deadline.after(20), 2.0):
                leave.wait(60)
            outcomes.append("served")
        except OverloadedError as error:
            outcomes.append("refused" if "20 seconds" in error.message else error.message)

    threads = [threading.Thread(target=ask) for _ in range(18)]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 30
    while len(outcomes) < 12:  # six of 3 s each fit into 20 s
        assert time.monotonic() < end
        time.sleep(0.005)
    leave.set()
    for thread in threads:
        thread.join(60)
    assert (outcomes.count("refused"), outcomes.count("served")) == (12, 6)


def test_small_pictures_are_taken_where_a_large_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, places = Clock(monkeypatch), Places(2, 16)
    for _ in range(30):
        work(places, clock, 8, 8)
    with places.take(Deadline.after(20), 8):
        with pytest.raises(OverloadedError) as refused, places.take(Deadline.after(15.5), 8):
            raise AssertionError("it was taken")
        assert refused.value.retry_after_s == 1
        with places.take(Deadline.after(15.5), 0.3):
            pass


def test_retry_after_is_the_time_until_the_picture_would_be_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock, places = Clock(monkeypatch), Places(1, 16)
    for _ in range(30):
        work(places, clock, 8, 8)
    with places.take(Deadline.after(20), 18):
        clock.now += 1.5
        with pytest.raises(OverloadedError) as refused, places.take(Deadline.after(20), 8):
            raise AssertionError("it was taken")
        assert refused.value.retry_after_s == 5  # 16.5 s are left of one, 8 of the other


@pytest.mark.parametrize(("queue", "timeout_s"), [(5, 1000), (16, 13)])
def test_a_refused_client_is_asked_to_wait_for_half_of_the_queue(
    monkeypatch: pytest.MonkeyPatch, queue: int, timeout_s: float
) -> None:
    """One finds the queue full, the other cannot be in time: six of 2 s each are before it."""
    waits, clock = threading.Event(), Clock(monkeypatch)
    places = Places(1, queue, lambda _, waiting: waits.set() if waiting == 5 else None)
    for _ in range(30):
        work(places, clock, 1, 2)

    def ask() -> None:
        with places.take(Deadline.after(1000), 1):
            pass

    threads = [threading.Thread(target=ask) for _ in range(5)]
    with places.take(Deadline.after(1000), 1):
        for thread in threads:
            thread.start()
        assert waits.wait(60)
        late = pytest.raises(OverloadedError)
        with late as refused, places.take(Deadline.after(timeout_s), 1):
            raise AssertionError("it was taken")
    for thread in threads:
        thread.join(60)
    assert refused.value.retry_after_s == 6  # three of the five that wait


def test_the_pace_of_a_slow_machine_is_learned(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, places = Clock(monkeypatch), Places(1, 1)
    for _ in range(30):
        work(places, clock, 0.3, 0.9)
    assert places.expected_s(2) == pytest.approx(6, rel=0.01)


def test_two_pictures_at_once_share_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, places = Clock(monkeypatch), Places(2, 1)
    for _ in range(30):
        with places.take(Deadline.after(1000), 1), places.take(Deadline.after(1000), 1):
            clock.now += 2
    assert places.expected_s(1) == pytest.approx(1, rel=0.01)


def test_one_picture_that_hangs_does_not_close_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, places = Clock(monkeypatch), Places(1, 1)
    for _ in range(30):
        work(places, clock, 0.3, 0.3)
    with pytest.raises(DeadlineExceededError):
        hang(places, clock, 0.3, 20)
    assert places.expected_s(1) < 2


def test_pictures_that_are_refused_say_nothing_of_the_time(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, places = Clock(monkeypatch), Places(1, 1)
    before = places.expected_s(1)
    for _ in range(30):
        with pytest.raises(ImageError):
            refuse(places, clock, 8)
    assert places.expected_s(1) == before


def test_a_picture_with_nothing_before_it_is_worked_on_however_long_it_takes() -> None:
    places = Places(1, 1)
    with places.take(Deadline.after(20), 100):
        pass


def test_a_picture_that_waited_too_long_to_finish_does_not_start() -> None:
    places, held, leave = Places(1, 1), threading.Event(), threading.Event()

    def hold() -> None:
        with places.take(Deadline.after(60)):  # nothing is known of its work
            held.set()
            leave.wait(60)

    thread = threading.Thread(target=hold)
    thread.start()
    assert held.wait(60)
    threading.Timer(0.3, leave.set).start()
    late = places.take(Deadline.after(places.expected_s(1) + 0.1), 1)
    with pytest.raises(OverloadedError), late:
        raise AssertionError("it started")
    thread.join(60)


def test_the_queue_is_refused_once_pictures_are_seen_to_take_too_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LOOK_S", 0.01)
    places, refused = Places(1, 3), []

    def ask() -> None:
        try:
            with places.take(Deadline.after(60), 1):
                pass
        except OverloadedError as error:
            refused.append(error.retry_after_s)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    with places.take(Deadline.after(60), 1):
        for thread in threads:
            thread.start()
        while len(places._waiting) < 3:
            time.sleep(0.005)
        for _ in range(30):
            places._pace.learn(1, 18)  # three of them are finished in 54 s, the last in 72
        while len(refused) < 1:
            time.sleep(0.005)
    for thread in threads:
        thread.join(60)
    assert len(refused) == 1
