"""Requests whose client has gone are dropped before they cost anything; others never are."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from harness.metrics import Samples, scraped
from harness.nginx import UNLIMITED, nginx
from tests.support.http import FORM_TYPE, PATH, START_S, Server, file, form, gunicorn, post
from tests.support.tiny import ball, encoded, tiny_weights

GOOD = form(file("image", encoded(ball())))
ONE_PLACE = {"BGREMOVE_PLACES": "1", "BGREMOVE_QUEUE": "4"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
    folder = tmp_path_factory.mktemp("gunicorn")
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights), "HOLD": str(folder), **ONE_PLACE}
    with gunicorn(folder, settings, application="tests.support.hanging:app") as server:
        yield server


def request(request_id: str, version: str = "1.1") -> bytes:
    head = f"POST {PATH} HTTP/{version}\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\n"
    head += f"X-Request-Id: {request_id}\r\nContent-Length: {len(GOOD)}\r\n\r\n"
    return head.encode() + GOOD


def until(server: Server, wanted: Callable[[Samples], bool]) -> None:
    end = time.monotonic() + START_S
    while not wanted(found := scraped(server.door)):
        assert time.monotonic() < end, found
        time.sleep(0.02)


@contextlib.contextmanager
def busy(server: Server) -> Iterator[Callable[[], None]]:
    """Hold the one place until the block ends, or until the function given is called."""
    release = server.log.with_name(uuid.uuid4().hex)
    with ThreadPoolExecutor(1) as clients:
        name = f"hold-matte-{release.name}"
        answer = clients.submit(post, server.door, GOOD, X_Request_Id=name)
        try:
            until(server, lambda found: found.of("places_in_use") == 1)
            yield release.touch
        finally:
            release.touch()
        assert answer.result().status == 200


def access_line(server: Server, request_id: str) -> dict[str, Any]:
    end = time.monotonic() + START_S
    while time.monotonic() < end:
        for line in server.lines():
            if line["logger"] == "bgremove.access" and line.get("requestId") == request_id:
                return line
        time.sleep(0.02)
    raise AssertionError(f"no line with {request_id}")


def close(sock: socket.socket) -> None:
    sock.close()


def reset(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


@pytest.mark.parametrize("leave", [close, reset])
def test_who_has_gone_leaves_the_queue(
    server: Server, leave: Callable[[socket.socket], None]
) -> None:
    name = f"gone-{leave.__name__}"
    dropped = scraped(server.door).of("errors_total", code="CLIENT_GONE")
    with busy(server):
        sock = server.door.connect()
        sock.sendall(request(name))
        until(server, lambda found: found.of("queue_length") == 1)
        leave(sock)
        until(server, lambda found: found.of("queue_length") == 0)
        found = scraped(server.door)
        assert found.of("places_in_use") == 1  # before there was a place for it
        assert found.of("errors_total", code="CLIENT_GONE") == dropped + 1
        line = access_line(server, name)
        assert (line["status"], line["code"]) == (499, "CLIENT_GONE")
        assert line["cause"] == "gone in waiting for a place"
        assert line["format"] == "transparent"


def test_who_goes_while_at_work_is_dropped_before_the_model(server: Server) -> None:
    sock = server.door.connect()
    sock.sendall(request("nap-decode-2"))
    until(server, lambda found: found.of("places_in_use") == 1)
    sock.close()
    until(server, lambda found: found.of("places_in_use") == 0)
    line = access_line(server, "nap-decode-2")
    assert line["status"] == 499
    assert line["cause"] in {"gone in decode", "gone in load"}
    assert "model" not in line


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_who_has_said_all_and_still_reads_is_served(server: Server, version: str) -> None:
    with busy(server) as release, server.door.connect() as sock:
        sock.sendall(request(f"half-{version[-1]}", version))
        sock.shutdown(socket.SHUT_WR)
        until(server, lambda found: found.of("queue_length") == 1)
        release()
        answer = b""
        while block := sock.recv(65536):
            answer += block
    interim = b"HTTP/1.1 100 Continue\r\n\r\n"
    assert answer.startswith(interim) == (version == "1.1")
    final = answer.removeprefix(interim)
    assert final.startswith(f"HTTP/{version} 200 OK\r\n".encode())
    assert b"\x89PNG" in final


def test_a_client_that_leaves_nginx_leaves_the_queue(server: Server, tmp_path: Path) -> None:
    with nginx(tmp_path, [server.port, server.port], UNLIMITED) as edge, busy(server):
        sock = edge.door.connect()
        sock.sendall(request("gone-nginx"))
        until(server, lambda found: found.of("queue_length") == 1)
        sock.close()
        until(server, lambda found: found.of("queue_length") == 0)
        assert access_line(server, "gone-nginx")["status"] == 499
