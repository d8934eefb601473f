"""Native calls that never return: the client is answered, the worker replaced, others served."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.metrics import scraped
from harness.nginx import UNLIMITED, nginx
from harness.processes import children
from tests.support.http import START_S, Server, error_of, file, form, gunicorn, post
from tests.support.tiny import ball, encoded, tiny_weights

APPLICATION = "tests.support.hanging:app"
GOOD = form(file("image", encoded(ball())))
LIMIT_S = 4  # enough for an ordinary picture on a busy machine
SHORT = {"BGREMOVE_TIMEOUT_S": str(LIMIT_S), "BGREMOVE_GRACE_S": "0.5"}
TOO_LONG = f"Processing took longer than the limit of {LIMIT_S} seconds"


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "weights"
    folder.mkdir()
    return {"BGREMOVE_WEIGHTS_DIR": str(tiny_weights(folder)), **SHORT}


@pytest.fixture
def server(settings: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    with gunicorn(tmp_path, settings, application=APPLICATION) as server:
        yield server


def workers(server: Server) -> set[int]:
    return set(children(server.process.pid))


def until_replaced(server: Server, before: set[int]) -> None:
    """Wait until every worker is another, and ready."""
    end = time.monotonic() + START_S
    while workers(server) & before or not ready(server):
        assert time.monotonic() < end, server.log.read_text("utf-8")
        time.sleep(0.05)


def ready(server: Server) -> bool:
    try:
        return server.door.send("GET", "/readyz").status == 200
    except OSError:
        return False


def lines_of(server: Server, message: str) -> list[dict[str, Any]]:
    return [line for line in server.lines() if line["message"] == message]


@pytest.mark.parametrize("step", ["inference", "matte", "encode"])
def test_a_hung_call_is_a_502_and_ends_its_worker_alone(server: Server, step: str) -> None:
    before = workers(server)
    answer = post(server.door, GOOD, X_Request_Id=f"hang-{step}")
    error = error_of(answer, 502, "UPSTREAM_ERROR")
    assert error["message"] == TOO_LONG
    assert answer.headers["x-request-id"] == f"hang-{step}"
    assert answer.json()["meta"]["processingMs"] >= LIMIT_S * 1000
    until_replaced(server, before)
    assert post(server.door, GOOD).status == 200
    assert scraped(server.door).of("hangs_total") == 1
    assert server.stop() == 0
    (line,) = lines_of(server, "a request hangs")
    assert (line["requestId"], line["status"]) == (f"hang-{step}", 502)
    assert f"tests/support/hanging.py:{line_of_the_sleep()} last < " in line["stacks"][0]
    assert "bgremove/pipeline.py" in line["stacks"][0]


def line_of_the_sleep() -> int:
    source = Path("tests/support/hanging.py").read_text("utf-8").splitlines()
    return 1 + next(n for n, text in enumerate(source) if "LETTING_GO.sleep" in text)


def test_the_other_requests_of_the_worker_are_served_first(
    settings: dict[str, str], tmp_path: Path
) -> None:
    """One hangs in its encoder; one is at work when that is found, and ends after it."""
    longer = settings | {"BGREMOVE_TIMEOUT_S": "8", "BGREMOVE_GRACE_S": "1", "HOLD": str(tmp_path)}
    with (
        gunicorn(tmp_path, longer, application=APPLICATION) as server,
        ThreadPoolExecutor(2) as clients,
    ):
        before = workers(server)
        hung = clients.submit(post, server.door, GOOD, X_Request_Id="hang-encode")
        time.sleep(5)  # found after 9 s, when the other one has 4 s left until its deadline
        other = clients.submit(post, server.door, GOOD, X_Request_Id="hold-matte-found")
        error_of(hung.result(), 502, "UPSTREAM_ERROR")
        (tmp_path / "found").touch()
        in_the_backlog = post(server.door, GOOD)  # taken by the next worker
        assert other.result().status == 200
        assert in_the_backlog.status == 200
        until_replaced(server, before)
        assert lines_of(server, "the worker ends for a request that hangs")[0]["lost"] == 0


def test_a_slow_call_is_no_hung_one(settings: dict[str, str], tmp_path: Path) -> None:
    patient = settings | {"BGREMOVE_GRACE_S": "60"}
    with gunicorn(tmp_path, patient, application=APPLICATION) as server:
        before = workers(server)
        answer = post(server.door, GOOD, X_Request_Id=f"nap-matte-{LIMIT_S}")
        assert error_of(answer, 502, "UPSTREAM_ERROR")["message"] == TOO_LONG
        # The last step is no reason to throw its result away.
        assert post(server.door, GOOD, X_Request_Id=f"nap-encode-{LIMIT_S}").status == 200
        assert post(server.door, GOOD).status == 200
        assert workers(server) == before
        assert lines_of(server, "a request hangs") == []


def test_a_call_that_holds_the_interpreter_is_ended_from_outside(
    settings: dict[str, str], tmp_path: Path
) -> None:
    """No thread of the worker runs any more; its stacks are in the log all the same."""
    impatient = settings | {"GUNICORN_CMD_ARGS": "--timeout 6"}
    folders = [tmp_path / name for name in ("gunicorn", "nginx")]
    for folder in folders:
        folder.mkdir()
    with (
        gunicorn(folders[0], impatient, application=APPLICATION) as server,
        nginx(folders[1], [server.port], UNLIMITED) as edge,
    ):
        before = workers(server)
        error_of(post(edge.door, GOOD, X_Request_Id="seize-matte"), 502, "UPSTREAM_ERROR")
        until_replaced(server, before)
        assert post(edge.door, GOOD).status == 200
        assert server.stop() == 0
        (line,) = lines_of(server, "a worker was ended by a signal")
        assert any("hanging.py" in text and "in last" in text for text in line["stacks"])


def test_a_hung_call_behind_nginx_is_answered_by_the_application(
    server: Server, tmp_path: Path
) -> None:
    folder = tmp_path / "nginx"
    folder.mkdir()
    with nginx(folder, [server.port, server.port], UNLIMITED) as edge:
        answer = post(edge.door, GOOD, X_Request_Id="hang-matte")
        error = error_of(answer, 502, "UPSTREAM_ERROR")
        assert error["message"] == TOO_LONG
        assert edge.line_of("hang-matte")["upstreamStatus"] == "502"  # and not tried elsewhere
        assert post(edge.door, GOOD).status == 200
