"""Connections close without a reset, in time, and without anybody waiting for it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from bgremove.serving import lingering
from bgremove.serving.lingering import Lingering

Pair = tuple[socket.socket, socket.socket]


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Return a server's socket and its client's; TCP, for only that resets."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname(), timeout=60)
        server, _ = listener.accept()
    with server, client:
        yield server, client


def until_closed(sock: socket.socket) -> None:
    end = time.monotonic() + 60
    while sock.fileno() >= 0:
        assert time.monotonic() < end
        time.sleep(0.01)


def test_an_answer_is_not_lost_to_what_the_client_still_sends(pair: Pair) -> None:
    server, client = pair
    server.sendall(b"answer")
    Lingering().close(server)
    client.sendall(bytes(9_000_000))
    assert client.recv(100) == b"answer"
    assert client.recv(100) == b""
    client.close()
    until_closed(server)


def test_who_does_not_close_is_left_in_time(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "MAX_SECONDS", 0.1)
    Lingering().close(pair[0])
    until_closed(pair[0])


def test_who_sends_without_an_end_is_left(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lingering, "MAX_BYTES", 1_000_000)
    server, client = pair
    Lingering().close(server)
    with pytest.raises(ConnectionError):
        client.sendall(bytes(100_000_000))
    until_closed(server)


def test_more_than_may_linger_are_closed_at_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lingering, "AT_ONCE", 0)
    Lingering().close(pair[0])
    until_closed(pair[0])


def test_a_socket_closed_by_others_ends_nothing(pair: Pair) -> None:
    made = Lingering()
    closed = socket.socket()
    closed.close()
    made._new.put(closed)
    made.close(pair[0])
    pair[1].close()
    until_closed(pair[0])
    assert made._new.empty()


def test_without_a_thread_to_be_had_it_is_closed_at_once(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    made = Lingering()
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        made.close(pair[0])
    assert pair[0].fileno() < 0


def test_who_was_reset_already_is_no_fault(pair: Pair) -> None:
    server, client = pair
    server.shutdown(socket.SHUT_RDWR)
    client.close()
    server.close()
    Lingering().close(server)
