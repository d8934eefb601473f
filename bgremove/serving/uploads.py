"""Limit concurrent uploads, drain unread bodies, and drop clients that do not read their answer.

A server that closes a socket with unread data resets the connection. The client, or nginx, then
sees the reset instead of an early answer, such as a 404 to a large upload. So the rest of a body is
read after the answer, within limits.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from gunicorn.http.errors import ParseException
from werkzeug.wsgi import ClosingIterator

from bgremove.serving.alarms import Alarms
from bgremove.serving.capacity import Bodies
from bgremove.serving.connection import Connection

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BLOCK_BYTES = 1 << 16
MAX_BYTES = 64 << 20  # read of one body after its answer; beyond that, the client gets the reset
MAX_SECONDS = 5.0  # time for that read
SEND_SECONDS = 60.0  # time for a client to read its answer
BODILESS_SEND_SECONDS = 10.0  # if it sent no body: health, metrics, and pages of at most 121 kB
REFUSAL = "bgremove.refusal"  # WSGI environment key of the error for a surplus request


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
