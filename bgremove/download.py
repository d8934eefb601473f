"""Open a URL and bound everything that its server sends: headers, redirects, chunks and body.

urllib limits each read of a connection only. A server that sends a byte of its headers every few
seconds, or interim answers without an end, would never exceed that limit.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import IO, Any, cast

TIMEOUT_S = 30  # for a connection, and for each read of one
# A slower server is abandoned, so that a download of occasional bytes does not last for ever.
# START_S is the time allowed for the first bytes.
LEAST_BYTES_PER_S, START_S = 10_000, 60.0
# Bytes of headers, redirects and chunk sizes that a server may send besides the file. A file in
# chunks of 64 bytes has an eighth of its size; nginx sends chunks of 8 KiB and more.
MOST_EXTRA_BYTES, MOST_EXTRA_SHARE = 1 << 20, 1 / 4
NETWORK_ERRORS = (OSError, http.client.HTTPException)


class Pace:
    """Bytes received from a server since the start, with a lower and an upper bound."""

    def __init__(self, file_bytes: int) -> None:
        self._most_bytes = file_bytes + int(file_bytes * MOST_EXTRA_SHARE) + MOST_EXTRA_BYTES
        self._started = time.monotonic()
        self._bytes = 0

    def advance(self, count: int) -> None:
        """Count received bytes.

        Raises:
            OSError: The server sends too slowly or without an end.

        """
        self._bytes += count
        if self._bytes > self._most_bytes:
            raise OSError(None, f"it sends more than {self._most_bytes:,} bytes, headers included")
        taken_s = time.monotonic() - self._started
        if taken_s > START_S + self._bytes / LEAST_BYTES_PER_S:
            slow = f"it sends less than {LEAST_BYTES_PER_S:,} bytes a second"
            raise OSError(None, f"{slow}: {self._bytes:,} in {taken_s:.0f} s")


def open_paced(request: urllib.request.Request, pace: Pace) -> IO[bytes]:
    """Open a ``file``, ``http`` or ``https`` URL; ``pace`` counts the bytes of HTTP.

    Raises:
        OSError: The server does not answer, answers with an error, or exceeds a bound of the pace.
        http.client.HTTPException: It does not speak HTTP.
        ValueError: This is not a URL.

    """
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.UnknownHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPRedirectHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.FileHandler(),
        _Http(),
        _Https(),
    ):
        if isinstance(handler, _Paced):
            handler.pace = pace
        opener.add_handler(handler)
    return cast("IO[bytes]", opener.open(request, timeout=TIMEOUT_S))


def reason_of(error: Exception) -> str:
    """Return the message of an error of `open_paced` or of a read, without urllib's wrapper."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"{error.code} {error.reason}"
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason)


class _Paced(urllib.request.AbstractHTTPHandler):
    """Part of a handler that counts the bytes of its connections."""

    pace: Pace

    def do_open(
        self, http_class: Callable[..., Any], req: urllib.request.Request, **arguments: Any
    ) -> http.client.HTTPResponse:
        """Send a request over a connection whose answers are counted."""

        def connection(host: str, **more: Any) -> http.client.HTTPConnection:
            made: http.client.HTTPConnection = http_class(host, **more)
            made.response_class = self._answer  # type: ignore[assignment]
            return made

        return super().do_open(connection, req, **arguments)

    def _answer(self, sock: socket.socket, **named: Any) -> http.client.HTTPResponse:
        answer = http.client.HTTPResponse(sock, **named)
        raw = cast("socket.SocketIO", answer.fp.detach())
        answer.fp = io.BufferedReader(_Counted(raw, self.pace))
        return answer


class _Http(_Paced, urllib.request.HTTPHandler):
    pass


class _Https(_Paced, urllib.request.HTTPSHandler):
    pass


class _Counted(io.RawIOBase):
    """A file of a socket that counts the bytes of each read."""

    def __init__(self, raw: socket.SocketIO, pace: Pace) -> None:
        self._raw, self._pace = raw, pace

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Read and count bytes."""
        count = self._raw.readinto(buffer)
        self._pace.advance(count or 0)
        return count

    def close(self) -> None:
        """Close the file of the socket."""
        self._raw.close()
        super().close()
