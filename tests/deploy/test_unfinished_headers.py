"""Headers that do not end: who sends them is left in time, however the kernel wakes the worker."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator

import pytest

from bgremove.serving.capacity import READERS, SPARE_THREADS
from tests.support.http import Server, gunicorn
from tests.support.impatient import HEADERS_S
from tests.support.tiny import tiny_weights

SEGMENT_BYTES, PIECE_BYTES = 88, 50
CROWD = 1 + READERS + SPARE_THREADS + 8  # more than there are threads


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_PLACES": "1", "BGREMOVE_QUEUE": "0"}
    folder = tmp_path_factory.mktemp("gunicorn")
    with gunicorn(folder, settings, application="tests.support.impatient:app") as server:
        yield server


def has_ended(sock: socket.socket) -> bool:
    """Wait, as long as the socket does, whether the server closes it."""
    try:
        return sock.recv(100) == b""
    except ConnectionResetError:
        return True
    except (TimeoutError, BlockingIOError):
        return False


def test_a_buffer_full_of_headers_holds_no_thread(server: Server) -> None:
    """The kernel calls a socket readable when its buffer is full, whatever it was asked to do.

    Many small segments fill a buffer long before their bytes do.
    """
    lines = b"GET /livez HTTP/1.1\r\n" + b"A: b\r\n" * 10_500
    with contextlib.ExitStack() as stack:
        for _ in range(CROWD):
            send_in_pieces(stack.enter_context(socket.socket()), server.port, lines)
        assert server.door.send("GET", "/livez").status == 200  # a held thread is held for good


def send_in_pieces(sock: socket.socket, port: int, data: bytes) -> None:
    """Send in the smallest segments there are, as much as the server takes."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, SEGMENT_BYTES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.connect(("127.0.0.1", port))
    sock.settimeout(0.1)
    with contextlib.suppress(OSError):
        for start in range(0, len(data), PIECE_BYTES):
            sock.sendall(data[start : start + PIECE_BYTES])


def test_who_sends_a_byte_now_and_then_is_left_before_who_came_later(server: Server) -> None:
    with server.door.connect() as first:
        first.sendall(b"G")
        time.sleep(HEADERS_S - 1)
        with server.door.connect() as second:
            second.sendall(b"G")
            time.sleep(0.3)  # until the worker has seen it
            first.sendall(b"E")
            assert has_ended(first)
            second.setblocking(False)
            assert not has_ended(second)
