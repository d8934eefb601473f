"""The client's end of a request: whether it is there, and until when it may send."""

from __future__ import annotations

import contextlib
import select
import socket
import weakref
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Only Linux tells of a side that is closed; elsewhere a poll sees a client that hung up.
POLLRDHUP = getattr(select, "POLLRDHUP", 0)
INTERIM = b"HTTP/1.1 100 Continue\r\n\r\n"
# Sockets whose next bytes are the rest of a body, not a request: the worker closes them.
to_be_closed: weakref.WeakSet[socket.socket] = weakref.WeakSet()


class Connection:
    """A client's socket; under servers other than gunicorn nothing is known of it.

    A client that closes its connection and one that has merely said all it will send the same
    segment (FIN). Who still reads must skip a "100 Continue", says HTTP/1.1; a socket that is
    closed answers it with a reset. So such a client is asked, once, and seen to be gone at the next
    look. HTTP/1.0 has no such answers: there nobody is taken to be gone before a reset.
    """

    def __init__(self, environ: WSGIEnvironment) -> None:
        self._socket: socket.socket | None = environ.get("gunicorn.socket")
        self._may_ask = environ.get("SERVER_PROTOCOL") == "HTTP/1.1"

    def is_gone(self) -> bool:
        """Tell whether nobody would get an answer. Takes 1 µs."""
        if self._socket is None or self._socket.fileno() < 0:
            return False
        poll = select.poll()
        poll.register(self._socket, POLLRDHUP)  # resets are told unasked
        for _, seen in poll.poll(0):
            if seen & (select.POLLHUP | select.POLLERR):
                return True
            self._ask()
        return False

    def answer(self, message: bytes) -> None:
        """Send an answer past the thread that should have; whatever that sends now is lost."""
        if self._socket is not None:
            with contextlib.suppress(OSError):
                self._socket.send(message, socket.MSG_DONTWAIT)
                self._socket.shutdown(socket.SHUT_WR)

    def stop_reading(self) -> None:
        """Let a read that waits for the client end as at the end of its body."""
        self._shut(socket.SHUT_RD)

    def stop(self) -> None:
        """Let whatever waits for the client fail."""
        self._shut(socket.SHUT_RDWR)

    def close_after_answer(self) -> None:
        """Have no other request read from here: what comes next is the rest of a body."""
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
            with contextlib.suppress(OSError):  # the next look tells
                self._socket.send(INTERIM, socket.MSG_DONTWAIT)
