"""What becomes of a request beside being answered: its body, and a client that takes no answer.

Requests with a body are bounded in number, and no body is left unread.

A server that closes with unread data resets the connection, and the client (or nginx, as a 502)
sees that in place of an answer given early, such as a 404 to a large upload. So what is left is
read once the answer has gone out, within bounds.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING

from flask import request
from gunicorn.http.errors import ParseException
from werkzeug.wsgi import ClosingIterator

from bgremove.api.serving.alarms import Alarms
from bgremove.api.serving.bodies import Bodies
from bgremove.api.serving.connection import Connection
from bgremove.errors import OverloadedError

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

BLOCK_BYTES = 1 << 16
MAX_BYTES = 64 << 20  # what is read at most for the sake of an answer; then the reset is earned
MAX_SECONDS = 5.0  # for all of that
SEND_SECONDS = 60.0  # for a client to take its answer
BODILESS_SEND_SECONDS = 10.0  # where it sent no body: health, counts, and pages of 121 kB at most
REFUSAL = "bgremove.refusal"  # in the environment of a request that is one too many


class Draining:
    """WSGI middleware: who takes no answer is left, bodies are bounded in number and emptied."""

    def __init__(self, app: WSGIApplication, bodies: Bodies, alarms: Alarms) -> None:
        self._app = app
        self._bodies = bodies
        self._alarms = alarms

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer as the application does, then drain."""
        connection = Connection(environ)
        if not (environ.get("CONTENT_LENGTH") or environ.get("HTTP_TRANSFER_ENCODING")):
            answer = self._app(environ, start_response)
            return self._timed(answer, connection, BODILESS_SEND_SECONDS)
        if not self._bodies.enter():
            environ[REFUSAL] = self._bodies.refusal()
            connection.close_after_answer()  # the worker drains it, in none of its threads
            answer = self._app(environ, start_response)
            return self._timed(answer, connection, BODILESS_SEND_SECONDS)
        try:
            answer = self._app(environ, start_response)
        except BaseException:
            self._bodies.leave()
            raise

        def drain() -> None:
            try:
                self._drain(environ["wsgi.input"], connection)
            finally:
                self._bodies.leave()

        return ClosingIterator(self._timed(answer, connection, SEND_SECONDS), drain)

    def _timed(
        self, answer: Iterable[bytes], connection: Connection, seconds: float
    ) -> ClosingIterator:
        """Break the connection of a client that has not taken its answer by then.

        gunicorn sends without an end, and each answer that nobody takes would keep a thread.
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


def refuse_surplus() -> None:
    """Raise OverloadedError for a request that is one too many, before anything else is asked."""
    refusal: OverloadedError | None = request.environ.get(REFUSAL)
    if refusal is not None:
        raise refusal
