"""Limit concurrent uploads, drain unread bodies, and drop clients that do not read their answer.

A server that closes a socket with unread data resets the connection. The client, or nginx, then
sees the reset instead of an early answer, such as a 404 to a large upload. So the rest of a body is
read after the answer, within limits.

gunicorn parses a chunked body chunk by chunk in Python. In chunks of one byte, 10 MiB keep the
interpreter busy for a minute; 26 such bodies at once delayed health checks by 1.9 s. So the number
of very small chunks is limited.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from gunicorn.http.body import Body, ChunkedReader
from gunicorn.http.errors import InvalidChunkSize, ParseException
from gunicorn.http.message import Request
from gunicorn.http.unreader import Unreader
from werkzeug.wsgi import ClosingIterator

from bgremove.serving.alarms import Alarms
from bgremove.serving.capacity import Bodies
from bgremove.serving.request import Connection

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BLOCK_BYTES = 1 << 16
MAX_BYTES = 64 << 20  # read of one body after its answer; beyond that, the client gets the reset
MAX_SECONDS = 5.0  # time for that read
SEND_SECONDS = 60.0  # time for a client to read its answer
BODILESS_SEND_SECONDS = 10.0  # if it sent no body: health, metrics, and pages of at most 121 kB
REFUSAL = "bgremove.refusal"  # WSGI environment key of the error for a surplus request
FREE_CHUNKS = 1000  # chunks of any size that every body may have
LEAST_BYTES = 256  # minimum average size of further chunks; clients send 4 KiB and more


class Uploads:
    """WSGI middleware that limits concurrent uploads, drains bodies and times out answers."""

    def __init__(self, app: WSGIApplication, bodies: Bodies, alarms: Alarms) -> None:
        self._app = app
        self._bodies = bodies
        self._alarms = alarms

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Call the application, then drain the body after the answer."""
        connection = Connection(environ)
        if not (environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")):
            answer = self._app(environ, start_response)
            return self._timed(answer, connection, BODILESS_SEND_SECONDS)
        if not self._bodies.enter():
            environ[REFUSAL] = self._bodies.refusal()
            connection.close_after_answer()  # `Lingering` drains it, without a thread of the pool
            answer = self._app(environ, start_response)
            return self._timed(answer, connection, BODILESS_SEND_SECONDS)
        try:
            answer = self._app(environ, start_response)
        except BaseException:
            self._bodies.leave()
            raise

        if not connection.has_socket:  # nothing to drain; a test client need not close its answers
            self._bodies.leave()
            return answer

        def drain() -> None:
            try:
                self._drain(environ["wsgi.input"], connection)
            finally:
                self._bodies.leave()

        return ClosingIterator(self._timed(answer, connection, SEND_SECONDS), drain)

    def _timed(
        self, answer: Iterable[bytes], connection: Connection, seconds: float
    ) -> ClosingIterator:
        """Shut the connection down if the client has not read its answer after ``seconds``.

        gunicorn sends without a timeout, so each unread answer would block a thread.
        """
        sending = self._alarms.set(time.monotonic() + seconds, connection.stop)
        return ClosingIterator(answer, lambda: self._alarms.cancel(sending))

    def _drain(self, stream: IO[bytes], connection: Connection) -> None:
        left = MAX_BYTES
        end = time.monotonic() + MAX_SECONDS
        try:
            with self._alarms.guard(end, connection.stop_reading):
                while left > 0 and time.monotonic() < end:
                    block = stream.read(min(BLOCK_BYTES, left))
                    if not block:
                        return
                    left -= len(block)
        except (OSError, ParseException):  # the client is gone, or its chunks are malformed
            pass
        connection.close_after_answer()


class BoundedChunks(ChunkedReader):
    """gunicorn's chunk reader. Raises InvalidChunkSize if a body has too many small chunks."""

    def __init__(self, req: Request, unreader: Unreader) -> None:
        super().__init__(req, unreader)
        self._chunks = self._bytes = 0

    def parse_chunk_size(
        self, unreader: Unreader, data: bytes | None = None
    ) -> tuple[int, bytes | None]:
        """Parse the size line of a chunk and count the chunk."""
        size, rest = super().parse_chunk_size(unreader, data)
        self._chunks += 1
        self._bytes += size
        if self._chunks > FREE_CHUNKS + self._bytes // LEAST_BYTES:
            raise InvalidChunkSize(b"chunks of less than %d bytes" % LEAST_BYTES)
        return size, rest


def bound_chunks(request: Request) -> None:
    """Limit the chunks of a request whose body has not been read yet."""
    if request.body is not None and type(request.body.reader) is ChunkedReader:
        request.body = Body(BoundedChunks(request, request.unreader))
