"""Clients that ask and never read: their threads come back, and so do their descriptors."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from bgremove.serving.capacity import READERS, SPARE_THREADS
from harness.processes import children, descriptors
from tests.support.http import START_S, Server, gunicorn
from tests.support.tiny import tiny_weights

PLACES, QUEUE = 1, 2
CROWD = PLACES + QUEUE + READERS + SPARE_THREADS + 8  # more than there are threads
PAGE = b"GET /docs HTTP/1.1\r\nHost: x\r\n\r\n"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
    settings = {
        "BGREMOVE_WEIGHTS_DIR": str(weights),
        "BGREMOVE_PLACES": str(PLACES),
        "BGREMOVE_QUEUE": str(QUEUE),
    }
    folder = tmp_path_factory.mktemp("gunicorn")
    with gunicorn(folder, settings, application="tests.support.impatient:app") as server:
        yield server


def opened(server: Server) -> int:
    (worker,) = children(server.process.pid)
    return descriptors(worker)


def narrow(port: int) -> socket.socket:
    """Connect so that little of an answer fits into the buffers of both sides."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    sock.connect(("127.0.0.1", port))
    return sock


def test_answers_that_nobody_takes_hold_no_thread(server: Server) -> None:
    server.door.exchange(PAGE)
    before = opened(server)
    with contextlib.ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(narrow(server.port)).sendall(PAGE * 300)
        end = time.monotonic() + START_S
        while opened(server) < before + CROWD // 2 and time.monotonic() < end:
            time.sleep(0.01)
        assert server.door.send("GET", "/livez").status == 200
        while opened(server) > before:
            assert time.monotonic() < end, "connections whose clients do not read are still open"
            time.sleep(0.1)
