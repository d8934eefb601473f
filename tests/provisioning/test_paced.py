"""Servers that never finish an answer: its headers, redirects, chunks or trailers."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from bgremove.errors import WeightsError
from bgremove.inference.models import Source
from bgremove.provisioning.fetch import obtain
from tests.support.graphs import model_of

DATA = bytes(range(256)) * 100
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
FOUND = b"HTTP/1.1 302 Found\r\nLocation: /x\r\n\r\n"  # its body ends with the connection
# Name to the start of an answer and the bytes that follow it again and again.
SLOW = {
    "status": (b"", b"H"),
    "headers": (b"HTTP/1.1 200 OK\r\nX-A: ", b"a"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
    "a redirect": (FOUND, b"a"),
    "the size of a chunk": (CHUNKED + b"1;", b"a"),
    "trailers": (CHUNKED + b"0\r\n", b"a"),
    "the body": (b"HTTP/1.1 200 OK\r\n\r\n", b"a"),
}
ENDLESS = {
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
    "a redirect": (FOUND, b"a" * 60_000),
    "trailers": (CHUNKED + b"0\r\n", b"a: b\r\n" * 10_000),
}


@contextmanager
def sending(start: bytes, again: bytes) -> Iterator[str]:
    """Run a server that answers with ``start`` and then ``again`` without an end."""

    def serve() -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                with client, suppress(OSError):
                    client.recv(4096)
                    client.sendall(start)
                    while True:
                        client.sendall(again)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/tiny.onnx"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


@pytest.mark.parametrize("what", SLOW)
def test_a_source_that_hardly_sends_is_abandoned(
    what: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = itertools.count(0, 7)
    with sending(*SLOW[what]) as url:
        monkeypatch.setattr("time.monotonic", lambda: next(clock))
        with pytest.raises(WeightsError, match=r"less than 10,000 bytes a second"):
            obtain(Source("url", url=url), model_of(DATA), tmp_path / "part")
    if what == "the body":
        assert (tmp_path / "part").stat().st_size > 0  # the next attempt goes on from there


@pytest.mark.parametrize("what", ENDLESS)
def test_a_source_that_sends_without_an_end_is_abandoned(what: str, tmp_path: Path) -> None:
    with sending(*ENDLESS[what]) as url, pytest.raises(WeightsError, match=r"more than 1,080,576"):
        obtain(Source("url", url=url), model_of(DATA), tmp_path / "part")


def test_only_files_and_http_are_opened(tmp_path: Path) -> None:
    source = Source("url", url="ftp://127.0.0.1/tiny.onnx")
    with pytest.raises(WeightsError, match="does not answer: unknown url type: ftp"):
        obtain(source, model_of(DATA), tmp_path / "part")
