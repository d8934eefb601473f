"""Room for memory: bounded, in order, and left by those that fail."""

from __future__ import annotations

import threading
import time
from dataclasses import replace

import pytest

from bgremove.deadline import Deadline
from bgremove.errors import ClientGoneError, OverloadedError
from bgremove.room import Room


def enter(room: Room, size: int, entered: list[int], leave: threading.Event) -> threading.Thread:
    def work() -> None:
        with room.claim() as claim:
            claim.take(size, Deadline.after(60))
            entered.append(size)
            leave.wait(60)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def until(entered: list[int], expected: list[int]) -> None:
    end = time.monotonic() + 60
    while entered != expected:
        assert time.monotonic() < end, entered
        time.sleep(0.005)


def test_pictures_share_the_room_and_a_large_one_is_not_kept_out_by_small_ones() -> None:
    room = Room(100)
    entered: list[int] = []
    first, second = threading.Event(), threading.Event()
    threads = [enter(room, 60, entered, first)]
    until(entered, [60])
    threads.append(enter(room, 40, entered, second))
    until(entered, [60, 40])
    threads.append(enter(room, 90, entered, second))
    while len(room._line) < 1:
        time.sleep(0.005)
    threads.append(enter(room, 5, entered, second))
    first.set()
    threads[0].join(60)
    assert entered == [60, 40]  # 90 is next, and does not fit beside 40
    second.set()
    until(entered, [60, 40, 90, 5])
    for thread in threads:
        thread.join(60)
    assert room._in_use == 0


def test_one_picture_has_room_however_large() -> None:
    with Room(1).claim() as claim:
        claim.take(1000, Deadline.after(0))


def test_waiting_ends_before_the_deadline_and_without_a_client() -> None:
    room = Room(10)
    with room.claim() as first:
        first.take(10, Deadline.after(1))
        with pytest.raises(OverloadedError), room.claim() as late:
            late.take(1, Deadline.after(0.05))
        too_short = replace(Deadline.after(60), work_s=59.9)
        with pytest.raises(OverloadedError), room.claim() as late:
            late.take(1, too_short)
        with pytest.raises(ClientGoneError), room.claim() as gone:
            gone.take(1, Deadline.after(30, lambda: True))
    with room.claim() as claim:
        claim.take(10, Deadline.after(0))


def test_a_claim_that_shrinks_lets_the_next_in_and_is_given_back_once() -> None:
    room, leave = Room(100), threading.Event()
    entered: list[int] = []
    claim = room.claim()
    claim.take(90, Deadline.after(60))
    thread = enter(room, 50, entered, leave)
    claim.shrink(30)
    until(entered, [50])
    claim.shrink(60)  # it does not grow
    assert room._in_use == 80
    claim.release()
    claim.release()
    leave.set()
    thread.join(60)
    assert room._in_use == 0
