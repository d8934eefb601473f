"""Turns of network runs, without networks; test_session.py has runs side by side."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from bgremove.deadline import Deadline
from bgremove.errors import DeadlineExceededError
from bgremove.inference.turns import Turns


def soon() -> Deadline:
    return Deadline.after(60)


def test_the_first_run_is_alone_and_the_second_is_not() -> None:
    turns = Turns(2)
    with turns.take(soon()) as first, turns.take(soon()) as second:
        assert (first, second) == (True, False)
    with turns.take(soon()) as next_one:
        assert next_one


def test_a_run_beside_one_that_started_beside_another_is_not_alone() -> None:
    turns = Turns(2)
    first, second = turns.take(soon()), turns.take(soon())
    assert first.__enter__()
    assert not second.__enter__()
    first.__exit__(None, None, None)
    with turns.take(soon()) as third:
        assert not third
    second.__exit__(None, None, None)


def test_a_run_beyond_the_limit_waits_until_its_deadline() -> None:
    turns, late = Turns(1), pytest.raises(DeadlineExceededError)
    with turns.take(soon()), late as caught, turns.take(Deadline.after(0.01)):
        raise AssertionError("there was no turn")
    assert caught.value.private == "deadline passed in waiting for the network"
    with turns.take(Deadline.after(0.01)) as is_alone:
        assert is_alone


def test_a_run_that_failed_gives_its_turn_back() -> None:
    turns = Turns(1)
    with pytest.raises(KeyError), turns.take(soon()):
        raise KeyError
    with turns.take(Deadline.after(0.01)) as is_alone:
        assert is_alone


def test_no_turn_is_lost_or_made_under_a_crowd() -> None:
    turns, inside = Turns(2), threading.Semaphore(2)

    def crowd(_: int) -> None:
        for _ in range(200):
            with turns.take(soon()):
                assert inside.acquire(blocking=False)
                inside.release()

    with ThreadPoolExecutor(12) as pool:
        list(pool.map(crowd, range(12)))
    with turns.take(Deadline.after(0.01)) as is_alone:
        assert is_alone
