"""gunicorn's gthread worker, whose threads no slow client gets hold of before its request is there.

Measured with gunicorn 27.0.1: a connection that sends nothing holds a thread for 5 s, one that
sends a byte of its headers holds it for ever, and one that is not closed by its client after
"Connection: close" stops the main thread for 2 s. With nginx in front none of that can happen.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import time
import weakref
from dataclasses import dataclass
from functools import partial

from gunicorn.workers.gthread import TConn, ThreadWorker

from bgremove.api.raw import write_envelope
from bgremove.api.serving.connection import to_be_closed
from bgremove.api.serving.lingering import Lingering

HEADERS_S = 10.0  # from the first look at a connection until its headers must be there
MAX_HEADER_BYTES = 1 << 16  # of a request line and headers together
LAST_S = 1.0  # for clients to close their connections when a worker stops
ENDS = (b"\r\n\r\n", b"\n\n", b"\n\r\n")  # the last two are no headers, which the parser will say


@dataclass(slots=True)
class Waiting:
    """A connection whose headers are not whole: the bytes seen of them, and until when it waits."""

    seen: int
    until: float


class Worker(ThreadWorker):
    """Hands a connection to a thread once its headers are whole, and closes it in none of them."""

    def init_process(self) -> None:
        """Make what each process needs of its own; this runs until the worker ends."""
        self._lingering = Lingering()
        self._waiting: weakref.WeakKeyDictionary[TConn, Waiting] = weakref.WeakKeyDictionary()
        super().init_process()

    def run(self) -> None:
        """Serve until told to stop, then let the last answers arrive."""
        super().run()
        self._lingering.finish(LAST_S)

    def enqueue_req(self, conn: TConn) -> None:
        """Look, without taking it, at what has come; gunicorn's main thread calls this."""
        known = self._waiting.get(conn) or Waiting(-1, time.monotonic() + HEADERS_S)
        unreader = getattr(conn.parser, "unreader", None)
        buffered: bytes = b"" if unreader is None else unreader.buf.getvalue()
        try:
            peeked = conn.sock.recv(MAX_HEADER_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            peeked = None
        except OSError:  # reset: the parser will see
            peeked = b""
        head = buffered + (peeked or b"")
        # Woken without more bytes: the client has closed its side.
        is_whole = peeked is not None and len(peeked) <= max(known.seen, 0)
        if is_whole or any(end in head for end in ENDS):
            self._waiting.pop(conn, None)
            conn.data_ready = True
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            super().enqueue_req(conn)
        elif len(head) >= MAX_HEADER_BYTES:
            with contextlib.suppress(OSError):
                write_envelope(conn.sock, 431, "", "")
            self._drop(conn)
        elif time.monotonic() >= known.until:
            self._drop(conn)
        else:
            self._wait(conn, Waiting(len(peeked or b""), known.until))

    def _wait(self, conn: TConn, waiting: Waiting) -> None:
        """Leave a connection to the poller, which looks up when more has come than was seen."""
        self._waiting[conn] = waiting
        conn.sock.setblocking(False)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, waiting.seen + 1)
        conn.timeout = waiting.until
        self.pending_conns.append(conn)
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def _drop(self, conn: TConn) -> None:
        self._waiting.pop(conn, None)
        self.nr_conns -= 1
        self._lingering.close(conn.sock)

    def handle(self, conn: TConn) -> bool:
        """Serve a request, in a thread of the pool; False where the connection is to be closed."""
        is_kept = super().handle(conn)
        if is_kept is False:
            self._lingering.close(conn.sock)
            conn.sock = socket.socket()  # stands in: gunicorn closes it, in its main thread
        return is_kept

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        if conn.sock in to_be_closed:
            return False
        return bool(super()._keepalive_after(conn, keepalive))  # type: ignore[misc]
