"""A web server that never finishes an answer: its headers, redirects, chunks or trailers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

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
