"""Who is gone, who only listens, and who is told what."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from bgremove.serving.request import INTERIM, Connection, to_be_closed

GONE_S = 60.0  # bound of waiting for a reset to come back on loopback
Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Return a server's socket and its client's; TCP, for a pair of Unix sockets resets nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
    with server, client:
        yield server, client


def of(sock: socket.socket, protocol: str = "HTTP/1.1") -> Connection:
    return Connection({"gunicorn.socket": sock, "SERVER_PROTOCOL": protocol})


def comes_true(connection: Connection) -> bool:
    end = time.monotonic() + GONE_S
    while time.monotonic() < end:
        if connection.is_gone():
            return True
        time.sleep(0.01)
    return False


def test_who_waits_is_there(pair: Pair) -> None:
    server, client = pair
    client.sendall(b"the next request, sent ahead")
    assert not of(server).is_gone()


def test_who_closed_is_gone(pair: Pair) -> None:
    server, client = pair
    client.close()
    assert comes_true(of(server))


def test_who_closed_behind_unread_bytes_is_gone(pair: Pair) -> None:
    server, client = pair
    client.sendall(b"the next request, sent ahead")
    client.close()
    assert comes_true(of(server))


@pytest.mark.parametrize("protocol", ["HTTP/1.0", "HTTP/1.1"])
def test_who_reset_is_gone(pair: Pair, protocol: str) -> None:
    server, client = pair
    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.close()
    assert comes_true(of(server, protocol))


def test_who_only_listens_is_asked_once_and_is_there(pair: Pair) -> None:
    server, client = pair
    client.shutdown(socket.SHUT_WR)
    connection = of(server)
    for _ in range(20):
        assert not connection.is_gone()
        time.sleep(0.01)
    server.close()
    with client.makefile("rb") as reader:
        assert reader.read() == INTERIM


def test_an_older_client_that_only_listens_is_told_nothing(pair: Pair) -> None:
    server, client = pair
    client.shutdown(socket.SHUT_WR)
    assert not of(server, "HTTP/1.0").is_gone()
    server.close()
    assert client.recv(100) == b""


def test_of_a_socket_nobody_shows_nothing_is_known() -> None:
    connection = Connection({})
    assert not connection.is_gone()
    connection.answer(b"x")
    connection.stop_reading()
    connection.close_after_answer()


def test_a_read_that_waits_ends(pair: Pair) -> None:
    server, _ = pair
    threading.Timer(0.1, of(server).stop_reading).start()
    server.settimeout(GONE_S)
    assert server.recv(10) == b""
    assert server in to_be_closed


def test_an_answer_past_its_thread_is_the_only_one(pair: Pair) -> None:
    server, client = pair
    of(server).answer(b"answer")
    with pytest.raises(BrokenPipeError):
        server.sendall(b"the thread's own, too late")
    with client.makefile("rb") as reader:
        assert reader.read() == b"answer"
