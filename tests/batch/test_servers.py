import threading
import time

import pytest
from urllib3 import HTTPResponse

from bgremove.batch.servers import NoServerError, Servers


def soon(seconds: float = 5.0) -> float:
    return time.monotonic() + seconds


def servers(*urls: str, stop: threading.Event | None = None) -> Servers:
    return Servers(urls, stop or threading.Event())


def full(retry_after: str) -> HTTPResponse:
    return HTTPResponse(b"", {"Retry-After": retry_after}, 503)


def test_the_least_busy_gets_the_next_picture() -> None:
    each = servers("a", "b")
    with each.turn(soon()) as first, each.turn(soon()) as second:
        assert {first.url, second.url} == {"a", "b"}
        with each.turn(soon()) as third:
            assert third.busy == 2
    assert (first.busy, second.busy) == (0, 0)


def test_idle_ones_take_turns() -> None:
    each = servers("a", "b")
    urls = []
    for _ in range(4):
        with each.turn(soon()) as server:
            urls.append(server.url)
    assert urls in (["a", "b", "a", "b"], ["b", "a", "b", "a"])


def test_one_that_asks_for_a_pause_gets_it() -> None:
    each = servers("a", "b")
    with each.turn(soon()) as resting:
        before = time.monotonic()
        each.failed(resting, full("60"))
        after = time.monotonic()
    for _ in range(3):
        with each.turn(soon()) as server:
            assert server is not resting
    assert before + 60 <= resting.rests_until <= after + 60


def test_a_retry_after_of_a_second_is_waited_for() -> None:
    each = servers("a")
    with each.turn(soon()) as server:
        before = time.monotonic()
        each.failed(server, full("1"))
    with each.turn(soon()):
        assert time.monotonic() >= server.rests_until >= before + 1


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> float:
    """Stop the clock."""
    stopped = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: stopped)
    return stopped


def test_failures_in_a_row_lead_to_longer_rests_until_one_answers(now: float) -> None:
    each = servers("a")
    with each.turn(soon()) as server:
        pauses = []
        for _ in range(8):
            each.failed(server)
            pauses.append(server.rests_until - now)
            server.rests_until = 0.0
        each.answered(server)
        each.failed(server)
    assert pauses[0] <= 0.01
    assert 0.9 < pauses[1] <= 1.5
    assert 3.9 < pauses[3] <= 4.5
    assert pauses[7] <= 30
    assert server.rests_until - now <= 0.01


def test_pictures_that_meet_the_same_failure_count_once(now: float) -> None:
    each = servers("a")
    with each.turn(soon()) as server:
        each.failed(server, full("5"))
        each.failed(server, full("50"))
    assert server.rests_until == now + 5


@pytest.mark.parametrize("retry_after", ["soon", "-1", ""])
def test_a_retry_after_that_is_none_counts_as_a_failure(now: float, retry_after: str) -> None:
    each = servers("a")
    with each.turn(soon()) as server:
        each.failed(server, full(retry_after))
    assert server.rests_until - now < 1


def test_there_is_an_end_to_waiting() -> None:
    stop = threading.Event()
    each = servers("a", stop=stop)
    with each.turn(soon()) as server:
        each.failed(server, full("60"))
    with pytest.raises(NoServerError), each.turn(soon(1)):
        pass
    stop.set()
    with pytest.raises(NoServerError), each.turn(soon(600)):
        pass
