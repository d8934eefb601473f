"""The state of one HTTP request and its connection."""

from __future__ import annotations

import contextlib
import fcntl
import re
import select
import socket
import sys
import termios
import time
import uuid
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from bgremove.deadline import Deadline

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Only Linux reports a half-closed connection; elsewhere a poll only sees a full hang-up.
POLLRDHUP = getattr(select, "POLLRDHUP", 0)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
# Sockets whose next bytes belong to an unread body, not to a request. The worker closes them.
to_be_closed: weakref.WeakSet[socket.socket] = weakref.WeakSet()
REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")


class Connection:
    """The client's socket. Without gunicorn there is no socket, and all methods do nothing.

    A client that closes its connection sends a FIN, as does a client that only has no more to send.
    The two differ in their reaction to "100 Continue": HTTP/1.1 clients that still read must skip
    it, and a closed socket answers it with a reset. So such a client gets one "100 Continue", and
    the next check sees the reset. HTTP/1.0 has no such interim answers, so those clients count as
    present until a reset.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._may_ask = environ.get("SERVER_PROTOCOL") == "HTTP/1.1"

    @property
    def has_socket(self) -> bool:
        """Whether gunicorn sends the answer; its closing then ends the request."""
        return self._socket is not None

    def is_gone(self) -> bool:
        """Return True if no client would receive an answer. Takes 1 µs."""
        if self._socket is None or self._socket.fileno() < 0:
            return False
        poll = select.poll()
        poll.register(self._socket, POLLRDHUP)  # the kernel always reports resets
        for _, seen in poll.poll(0):
            if seen & (select.POLLHUP | select.POLLERR):
                return True
            self._ask()
        return False

    def answer(self, message: bytes) -> None:
        """Send an answer in place of the request's thread, whose own answer is then lost."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.send(message, socket.MSG_DONTWAIT)
                self._socket.shutdown(socket.SHUT_WR)

    def stop_reading(self) -> None:
        """End a blocked read as if the body had ended."""
        self._shut(socket.SHUT_RD)

    def stop(self) -> None:
        """Fail every blocked read and write."""
        self._shut(socket.SHUT_RDWR)

    def close_after_answer(self) -> None:
        """Close the connection after the answer.

        The next bytes are the rest of a body, so no other request can be read.
        """
        if self._socket is not None:
            to_be_closed.add(self._socket)

    def _shut(self, how: int) -> None:
        self.close_after_answer()
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.shutdown(how)

    def _ask(self) -> None:
        if self._socket is not None and self._may_ask:
            self._may_ask = False
            with contextlib.suppress(OSError):  # the next check reports it
                self._socket.send(INTERIM, socket.MSG_DONTWAIT)


def is_half_closed(sock: socket.socket) -> bool:
    """Return True if the client has closed its sending side, so no more bytes can arrive."""
    poll = select.poll()
    poll.register(sock, POLLRDHUP)  # the kernel always reports resets
    return bool(poll.poll(0))


def unsent_bytes(sock: socket.socket) -> int:
    """Return the bytes of earlier answers that the client has not read; 0 if unknown."""
    try:
        return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0


@dataclass(slots=True)
class RequestContext:
    """The state of one request.

    ``started`` is a time of the monotonic clock, in seconds. ``reading`` is the deadline for
    reading the body, ``deadline`` the deadline for the work. ``notes`` are the fields that views
    add to the request's line in the access log.
    """

    request_id: str
    started: float
    reading: Deadline
    deadline: Deadline
    connection: Connection
    notes: dict[str, Any] = field(default_factory=dict)

    def start_work(self) -> None:
        """Start the deadline for the work, after the body has been read."""
        self.deadline = Deadline.after(self.deadline.timeout_s, self.deadline.is_abandoned)

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the request began."""
        return round((time.monotonic() - self.started) * 1000)


def new_request_id(offered: str | None) -> str:
    """Return the client's id if it is well formed, else a new UUID."""
    if offered is not None and REQUEST_ID_PATTERN.fullmatch(offered):
        return offered
    return str(uuid.uuid4())
