"""Open a URL and bound everything that its server sends: headers, redirects, chunks and body.

urllib limits each read of a connection only. A server that sends a byte of its headers every few
seconds, or interim answers without an end, would never exceed that limit.
"""

from __future__ import annotations

import http.client
import io
import socket
import time
import urllib.request
from collections.abc import Callable
from typing import IO, Any, cast

from bgremove.errors import WeightsError

TIMEOUT_S = 10  # for a connection, and for each read of one
# A slower source is abandoned, so that a download of occasional bytes does not last for ever.
# START_S is the time allowed for the first bytes.
LEAST_BYTES_PER_S, START_S = 10_000, 60.0
# Bytes of headers, redirects and chunk sizes that a source may send besides the file. A file in
# chunks of 64 bytes has an eighth of its size; nginx sends chunks of 8 KiB and more.
MOST_EXTRA_BYTES, MOST_EXTRA_SHARE = 1 << 20, 1 / 4


class Pace:
    """Bytes received from a source since the start, with a lower and an upper bound."""

    def __init__(self, source: str, file_bytes: int) -> None:
        self._source = source
        self._most_bytes = file_bytes + int(file_bytes * MOST_EXTRA_SHARE) + MOST_EXTRA_BYTES
        self._started = time.monotonic()
        self._bytes = 0

    def advance(self, count: int) -> None:
        """Count received bytes.

        Raises:
            WeightsError: The source sends too slowly or without an end.

        """
        self._bytes += count
        if self._bytes > self._most_bytes:
            raise WeightsError(
                f"{self._source} sends more than {self._most_bytes:,} bytes, headers included"
            )
        if time.monotonic() - self._started > START_S + self._bytes / LEAST_BYTES_PER_S:
            raise WeightsError(
                f"{self._source} sends less than {LEAST_BYTES_PER_S:,} bytes a second"
            )


def open_paced(request: urllib.request.Request, pace: Pace) -> IO[bytes]:
    """Open a ``file``, ``http`` or ``https`` URL; ``pace`` counts the bytes of HTTP.

    Raises:
        WeightsError: The source exceeds a bound of its pace.
        OSError: It does not answer, or answers with an error.

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
        wire = cast("socket.socket", _Wire(sock, self.pace))
        return http.client.HTTPResponse(wire, **named)


class _Http(_Paced, urllib.request.HTTPHandler):
    pass


class _Https(_Paced, urllib.request.HTTPSHandler):
    pass


class _Wire:
    """Stand-in for a socket that `http.client` only makes a file of."""

    def __init__(self, sock: socket.socket, pace: Pace) -> None:
        self._sock, self._pace = sock, pace

    def makefile(self, _: str) -> io.BufferedReader:
        """Return a file of the received bytes."""
        return io.BufferedReader(_Counted(self._sock.makefile("rb", buffering=0), self._pace))


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
