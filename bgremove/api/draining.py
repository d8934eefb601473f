"""Read what is left of a body once the answer has gone out, and wait for no stalled client.

A server that closes with unread data resets the connection, and the client (or nginx, as a 502)
sees that in place of an answer given early, such as a 404 to a large upload.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import IO, TYPE_CHECKING

from gunicorn.http.errors import ParseException
from werkzeug.wsgi import ClosingIterator

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BLOCK_BYTES = 1 << 16
MAX_BYTES = 64 << 20  # what is read at most for the sake of an answer; then the reset is earned
MAX_SECONDS = 5.0  # for all of that
STALL_SECONDS = 15.0  # without one byte of a body, before its client is taken to be gone


class Draining:
    """WSGI middleware that empties ``wsgi.input`` after the response."""

    def __init__(self, app: WSGIApplication) -> None:
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application does, then drain."""
        if not (environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")):
            return self._app(environ, start_response)
        with _patience(environ, STALL_SECONDS):
            body = self._app(environ, start_response)
        return ClosingIterator(body, partial(_drain, environ))


def _drain(environ: WSGIEnvironment) -> None:
    stream: IO[bytes] = environ["wsgi.input"]
    stop, left = time.monotonic() + MAX_SECONDS, MAX_BYTES
    try:
        while left > 0 and (remaining_s := stop - time.monotonic()) > 0:
            with _patience(environ, remaining_s):
                block = stream.read(min(BLOCK_BYTES, left))
            if not block:
                return
            left -= len(block)
    except (OSError, ParseException):  # the client is gone or stalls, or its chunks are malformed
        return


@contextmanager
def _patience(environ: WSGIEnvironment, seconds: float) -> Iterator[None]:
    """Let a read from the client fail with TimeoutError after ``seconds`` without a byte.

    gunicorn's threads read without any timeout: as many stalled uploads as there are threads, and
    nobody would be answered. Other servers do not show their socket, and keep their own timeouts.
    """
    sock = environ.get("gunicorn.socket")
    if sock is None:
        yield
        return
    before = sock.gettimeout()
    sock.settimeout(seconds)
    try:
        yield
    finally:
        sock.settimeout(before)
