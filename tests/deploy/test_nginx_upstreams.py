"""What becomes of a request when the service behind nginx is slow, broken, dead or restarted."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.http import WireDoor
from harness.metrics import scraped
from harness.nginx import UNLIMITED, Edge, broken_upstream, nginx
from harness.processes import children
from tests.support.http import START_S, Server, error_of, file, form, gunicorn, post
from tests.support.tiny import ball, encoded, tiny_weights

GOOD = form(file("image", encoded(ball())))
REAL = form(file("image", encoded(ball(1500, 1000), ".jpg")))
AGAIN_S = 2.0  # after which nginx asks a server again that was away: see docs/deployment.md
IMPATIENT = {**UNLIMITED, "nginx/proxy.conf": {"proxy_read_timeout 45s": "proxy_read_timeout 2s"}}


@pytest.fixture
def tiny(tmp_path: Path) -> dict[str, str]:
    """Return the settings of a server that starts at once."""
    weights = tmp_path / "weights"
    weights.mkdir()
    return {"BGREMOVE_WEIGHTS_DIR": str(tiny_weights(weights))}


@pytest.fixture
def folders(tmp_path: Path) -> Iterator[Path]:
    folders = [tmp_path / name for name in ("edge", "first", "second", "third")]
    for folder in folders:
        folder.mkdir()
    return iter(folders)


def test_one_dead_server_of_two_loses_nothing(edge: Edge) -> None:
    """At the second port nobody ever was."""
    answers = [post(edge.door, GOOD, X_Request_Id=f"dead-{n}") for n in range(6)]
    assert [answer.status for answer in answers] == [200] * 6
    tried = {edge.line_of(f"dead-{n}")["upstreamStatus"] for n in range(6)}
    assert tried <= {"200", "502, 200"}


def test_a_worker_killed_at_work_loses_nothing(
    weights: Path, real_server: Server, folders: Iterator[Path]
) -> None:
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights)}
    with (
        gunicorn(next(folders), settings) as victim,
        nginx(next(folders), [victim.port, real_server.port], UNLIMITED) as edge,
        ThreadPoolExecutor(4) as clients,
    ):
        for turn in range(5):  # until a kill finds its worker at work
            ids = [f"kill-{turn}-{n}" for n in range(4)]
            sent = [clients.submit(post, edge.door, REAL, X_Request_Id=own) for own in ids]
            while not _is_at_work(victim) and not all(answer.done() for answer in sent):
                time.sleep(0.01)
            os.kill(_worker_of(victim), signal.SIGKILL)
            assert [answer.result().status for answer in sent] == [200] * 4
            if "502, 200" in {edge.line_of(own)["upstreamStatus"] for own in ids}:
                return
    raise AssertionError("no request was with the worker that was killed")


def _is_at_work(server: Server) -> bool:
    with contextlib.suppress(OSError, http.client.HTTPException):
        return scraped(server.door).of("places_in_use") > 0
    return False


def _worker_of(server: Server) -> int:
    """Return its worker, waiting for the one that takes the place of one killed."""
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        if workers := children(server.process.pid):
            return workers[0]
        time.sleep(0.05)
    raise AssertionError("there is no worker")


def test_servers_are_stopped_in_turn_without_a_lost_request(
    tiny: dict[str, str], folders: Iterator[Path]
) -> None:
    with (
        gunicorn(next(folders), tiny) as first,
        gunicorn(next(folders), tiny) as second,
        nginx(next(folders), [first.port, second.port], UNLIMITED) as edge,
        ThreadPoolExecutor(4) as clients,
    ):
        enough = threading.Event()
        statuses: list[int] = []
        loops = [clients.submit(_ask_until, enough, edge, statuses) for _ in range(4)]
        try:
            _wait_for_answers(statuses)
            assert first.stop() == 0
            with gunicorn(next(folders), tiny, port=first.port):
                time.sleep(AGAIN_S)
                assert second.stop() == 0
                _wait_for_answers(statuses)
                enough.set()
                for loop in loops:
                    loop.result()
        finally:
            enough.set()
        assert set(statuses) == {200}


def _ask_until(enough: threading.Event, edge: Edge, statuses: list[int]) -> None:
    while not enough.wait(0.05):
        statuses.append(post(edge.door, GOOD).status)


def _wait_for_answers(statuses: list[int], more: int = 8) -> None:
    end, enough = time.monotonic() + START_S, len(statuses) + more
    while len(statuses) < enough:
        assert time.monotonic() < end, statuses
        time.sleep(0.01)


def test_the_page_and_its_files_come_from_one_process(tmp_path: Path) -> None:
    """While two releases serve: a process knows no file of another release's page."""
    head = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nConnection: close\r\n\r\n"
    paths = ("/", "/pages/x/main.js", "/pages/x/main.css", "/pages/x/wire.js", "/")
    with (
        broken_upstream(head + b"1") as first,
        broken_upstream(head + b"2") as second,
        nginx(tmp_path, [first, second], UNLIMITED) as edge,
    ):
        doors = [WireDoor(edge.port, f"127.0.0.{last}") for last in range(2, 42)]
        visits = [{door.send("GET", path).body for path in paths} for door in doors]
    assert [len(seen) for seen in visits] == [1] * len(doors)
    assert set().union(*visits) == {b"1", b"2"}


def test_both_dead_is_the_envelope(tmp_path: Path) -> None:
    with nginx(tmp_path) as edge:
        for _ in range(10):  # refused first, then not even tried
            answer = post(edge.door, GOOD)
            error_of(answer, 502, "UPSTREAM_ERROR")
            assert answer.headers["retry-after"] == "1"


def test_a_server_that_never_answers_is_a_504_and_tried_twice_at_most(
    folders: Iterator[Path],
) -> None:
    with (
        broken_upstream(None) as first,
        broken_upstream(None) as second,
        nginx(next(folders), [first, second], IMPATIENT) as edge,
    ):
        answer = post(edge.door, GOOD, X_Request_Id="slow")
        error_of(answer, 504, "UPSTREAM_ERROR")
        assert edge.line_of("slow")["upstreamStatus"] == "504, 504"


def test_a_server_that_hangs_is_helped_out_by_the_other(
    tiny: dict[str, str], folders: Iterator[Path]
) -> None:
    with (
        gunicorn(next(folders), tiny) as healthy,
        broken_upstream(None) as hanging,
        nginx(next(folders), [hanging, healthy.port], IMPATIENT) as edge,
    ):
        assert [post(edge.door, GOOD).status for _ in range(2)] == [200, 200]


@pytest.mark.parametrize(
    "said", [b"", b"HTTP/1.1 200 OK\r\nA", b"HTTP/1.1 200 OK\r\nB\x00: x\r\n\r\n"]
)
def test_nonsense_from_upstream_is_a_502(tmp_path: Path, said: bytes) -> None:
    with broken_upstream(said) as port, nginx(tmp_path, [port], UNLIMITED) as edge:
        error_of(post(edge.door, GOOD), 502, "UPSTREAM_ERROR")


def test_errors_of_the_service_are_not_tried_again(
    weights: Path, folders: Iterator[Path], tmp_path: Path
) -> None:
    """Its 502 is an answer: to ask the other server would cost as much again."""
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_TIMEOUT_S": "0.05"}
    with (
        gunicorn(next(folders), settings) as server,
        nginx(next(folders), [server.port, server.port], UNLIMITED) as edge,
    ):
        for n in range(4):
            error = error_of(post(edge.door, REAL, X_Request_Id=f"own-{n}"), 502, "UPSTREAM_ERROR")
            assert "0.05 seconds" in error["message"]
            assert edge.line_of(f"own-{n}")["upstreamStatus"] == "502"
