"""gunicorn's gthread worker, whose threads no slow client gets hold of before its request is there.

Measured with gunicorn 27.0.1: a connection that sends nothing holds a thread for 5 s, one that
sends a byte of its headers holds it for ever, and one that is not closed by its client after
"Connection: close" stops the main thread for 2 s. With nginx in front none of that can happen.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import mmap
import os
import re
import select
import selectors
import socket
import sys
import termios
import threading
import time
import weakref
from bisect import insort
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import cast

import gunicorn.util
from gunicorn.http.message import Request
from gunicorn.workers.gthread import TConn, ThreadWorker

from bgremove.serving.chunks import bound_chunks
from bgremove.serving.connection import POLLRDHUP, to_be_closed
from bgremove.serving.lingering import Lingering

HEADERS_S = 10.0  # from the first look at a connection until its headers must be there
MAX_HEADER_BYTES = 1 << 16  # of a request line and headers together
LAST_S = 1.0  # for clients to close their connections when a worker stops
REST_S = 1.0  # without accepting, where there was no descriptor for a connection
# Paths that are answered at once, each by threads of its own.
QUICK_PATHS = (b"livez", b"readyz", b"metrics")
QUICK_THREADS = 2
QUICK = re.compile(rb"(?:GET|HEAD) /(" + b"|".join(QUICK_PATHS) + rb")[ ?]")
BODY = re.compile(rb"\n(?:content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)
RETRY_S = 2.0  # between two workers that cannot start, of a service that ran
ENDS = (b"\r\n\r\n", b"\n\n", b"\n\r\n")  # the last two are no headers, which the parser will say

_has_served = mmap.mmap(-1, 1)  # 1 once a worker served: master and workers share it


@dataclass(slots=True)
class Waiting:
    """A connection whose headers are not whole: the bytes seen of them, and until when it waits."""

    seen: int
    until: float


class Gone:
    """Stands in for a socket that lingers; gunicorn closes it, in its main thread."""

    def setblocking(self, _: bool) -> None:
        """Do nothing."""

    def shutdown(self, _: int) -> None:
        """Say that there is nothing to wait for."""
        raise OSError(errno.ENOTCONN, "closed by another thread")

    def close(self) -> None:
        """Do nothing."""


class Worker(ThreadWorker):
    """Hands a connection to a thread once its headers are whole, and closes it in none of them."""

    def init_process(self) -> None:
        """Make what each process needs of its own; this runs until the worker ends."""
        self._lingering = Lingering()
        self._waiting: weakref.WeakKeyDictionary[TConn, Waiting] = weakref.WeakKeyDictionary()
        self._rests_until = 0.0
        try:
            self._quick = {path: started_pool(QUICK_THREADS, path.decode()) for path in QUICK_PATHS}
            super().init_process()
        except Exception:
            if self.booted or not _has_served[0]:
                raise  # gunicorn ends where its first worker does not start, and says why
            self.log.exception("a worker cannot start; another tries in %g s", RETRY_S)
            time.sleep(RETRY_S)
            sys.exit(os.EX_TEMPFAIL)

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the threads that serve requests, all of them started."""
        return started_pool(self.cfg.threads, "request")

    def run(self) -> None:
        """Serve until told to stop, then let the last answers arrive."""
        _has_served[0] = 1
        super().run()
        self._lingering.finish(LAST_S)

    def accept(self, listener: socket.socket) -> None:
        """Take a connection; where there is no descriptor for it, rest, as gunicorn would end."""
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                raise
            self._rests_until = time.monotonic() + REST_S
            self.log.warning("no connection is accepted for %g s: %s", REST_S, error.strerror)
            self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Accept, or not; gunicorn's loop asks again, at least once a second."""
        super().set_accept_enabled(bool(enabled) and time.monotonic() >= self._rests_until)

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
        is_no_more = peeked is not None and len(peeked) <= max(known.seen, 0)
        if any(end in head for end in ENDS) or (is_no_more and _has_said_all(conn.sock)):
            self._waiting.pop(conn, None)
            conn.data_ready = True
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._hand_over(conn, head)
        elif len(head) >= MAX_HEADER_BYTES:
            with contextlib.suppress(OSError):
                gunicorn.util.write_error(conn.sock, 431, "Request Header Fields Too Large", "")
            self._drop(conn)
        elif is_no_more or time.monotonic() >= known.until:
            # Without more bytes the kernel wakes us where the buffer is full before SO_RCVLOWAT
            # is reached. It would again, at once; and the parser would wait for ever.
            self._drop(conn)
        else:
            self._wait(conn, Waiting(len(peeked or b""), known.until))

    def _hand_over(self, conn: TConn, head: bytes) -> None:
        """Have a thread serve a request; health and metrics have threads that nothing else takes.

        One with a body has not, as its rest is read there, nor a client that takes no answers.
        """
        asked = QUICK.match(head)
        if asked is None or BODY.search(head):
            super().enqueue_req(conn)
        elif unsent_bytes(conn.sock):
            self._drop(conn)
        else:
            future = self._quick[asked[1]].submit(self.handle, conn)
            future.add_done_callback(
                lambda done: self.method_queue.defer(self.finish_request, conn, done)
            )

    def _wait(self, conn: TConn, waiting: Waiting) -> None:
        """Leave a connection to the poller, which looks up when more has come than was seen."""
        self._waiting[conn] = waiting
        conn.sock.setblocking(False)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, waiting.seen + 1)
        conn.timeout = waiting.until
        insort(self.pending_conns, conn, key=_timeout_of)  # gunicorn looks at the first only
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
            sock, conn.sock = conn.sock, cast("socket.socket", Gone())
            self._lingering.close(sock)
        return is_kept

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """Answer a request; "Connection: close" is said wherever the connection is to be closed."""
        bound_chunks(req)
        says_close = req.should_close
        req.should_close = lambda: conn.sock in to_be_closed or says_close()  # type: ignore[method-assign]
        return bool(super().handle_request(req, conn))

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        if conn.sock in to_be_closed:
            return False
        return bool(super()._keepalive_after(conn, keepalive))  # type: ignore[misc]


def _has_said_all(sock: socket.socket) -> bool:
    """Tell whether a client has closed its side: whoever reads then waits for nothing."""
    poll = select.poll()
    poll.register(sock, POLLRDHUP)  # resets are told unasked
    return bool(poll.poll(0))


def started_pool(threads: int, name: str) -> ThreadPoolExecutor:
    """Return a pool whose threads run already, so that none has to be started while there is load.

    Raises:
        RuntimeError: They cannot be started.

    """
    pool = ThreadPoolExecutor(threads, name)
    all_run = threading.Barrier(threads + 1)
    try:
        for _ in range(threads):
            pool.submit(all_run.wait)
    except RuntimeError:
        all_run.abort()
        pool.shutdown(wait=False)
        raise
    all_run.wait()
    return pool


def unsent_bytes(sock: socket.socket) -> int:
    """Return how many bytes of earlier answers a client has not taken; 0 where that is unknown."""
    try:
        return int.from_bytes(fcntl.ioctl(sock, termios.TIOCOUTQ, bytes(4)), sys.byteorder)
    except OSError:
        return 0


def _timeout_of(conn: TConn) -> float:
    return conn.timeout or 0.0
