"""Requests that are answered before their bodies are read."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial

from harness.forms import FORM_TYPE
from harness.http import PATH, Answer
from harness.nginx import Edge

MB = 1_000_000
TIMES = 10
HEADS = {
    "404": (b"POST /nothing HTTP/1.1\r\n", 404, "NOT_FOUND"),
    "405": (f"PUT {PATH} HTTP/1.1\r\n".encode(), 405, "METHOD_NOT_ALLOWED"),
    "no form": (f"POST {PATH} HTTP/1.1\r\n".encode(), 400, "VALIDATION_ERROR"),
}
REST = f"Host: x\r\nConnection: close\r\nContent-Type: {FORM_TYPE}\r\n".encode()


def pieces_of(head: bytes, count: int, framing: str) -> list[bytes]:
    """Return a request with ``count`` bytes of body, to be sent whole before reading an answer."""
    if framing == "length":
        return [head + REST + f"Content-Length: {count}\r\n\r\n".encode(), bytes(count)]
    block = b"f4240\r\n" + bytes(MB) + b"\r\n"
    return [
        head + REST + b"Transfer-Encoding: chunked\r\n\r\n",
        *[block] * (count // MB),
        b"0\r\n\r\n",
    ]


def exchanged(edge: Edge, pieces: list[bytes], times: int) -> list[Answer]:
    """Send a request ``times`` times, two at once; each must have exactly one answer."""
    with ThreadPoolExecutor(2) as clients:
        send = partial(edge.door.exchange, *pieces)
        answers = [future.result() for future in [clients.submit(send) for _ in range(times)]]
    assert [len(found) for found in answers] == [1] * times
    return [found[0] for found in answers]
