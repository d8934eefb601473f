"""A gthread worker for gunicorn that gives a thread only to requests with complete headers.

Measured with gunicorn 27.0.1: a connection that sends nothing holds a thread for 5 s. A connection
that sends one byte of its headers holds a thread forever. A client that does not close its
connection after "Connection: close" stops the main thread for 2 s. Behind nginx, none of these can
happen.
"""

from __future__ import annotations

import contextlib
import errno
import mmap
import os
import re
import selectors
import socket
import sys
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

from bgremove.serving.lingering import Lingering
from bgremove.serving.request import is_half_closed, to_be_closed, unsent_bytes
from bgremove.serving.uploads import bound_chunks

HEADERS_S = 10.0  # limit for receiving the headers, from the first look at a connection
MAX_HEADER_BYTES = 1 << 16  # request line and headers together
LAST_S = 1.0  # time for clients to close their connections when a worker stops
PAUSE_S = 1.0  # pause in accepting after no descriptor was free
# Paths that are answered at once. Each path has its own threads.
QUICK_PATHS = (b"livez", b"readyz", b"metrics")
QUICK_THREADS = 2
QUICK = re.compile(rb"(?:GET|HEAD) /(" + b"|".join(QUICK_PATHS) + rb")[ ?]")
BODY = re.compile(rb"\n(?:content-length|transfer-encoding)[ \t]*:", re.IGNORECASE)
RETRY_S = 2.0  # pause after a failed start of a worker, once the service has run
ENDS = (b"\r\n\r\n", b"\n\n", b"\n\r\n")  # the parser refuses the last two

_has_served = mmap.mmap(-1, 1)  # 1 after a worker has served; shared by master and workers


def has_served() -> bool:
    """Return whether any worker has served since gunicorn started."""
    return bool(_has_served[0])


@dataclass(slots=True)
class Waiting:
    """State of a connection with incomplete headers: the bytes seen and the time limit."""

    seen: int
    until: float


class Gone:
    """Stand-in for a socket that `Lingering` closes. gunicorn's main thread closes the stand-in."""

    def setblocking(self, _: bool) -> None:
        """Do nothing."""

    def shutdown(self, _: int) -> None:
        """Raise OSError, as for a socket that is not connected."""
        raise OSError(errno.ENOTCONN, "closed by another thread")

    def close(self) -> None:
        """Do nothing."""


class Worker(ThreadWorker):
    """Worker that passes a connection to a thread once its headers are complete.

    `Lingering` closes the connections, outside the threads of the pool.
    """

    def init_process(self) -> None:
        """Create the state of this process and run until the worker ends."""
        self._lingering = Lingering()
        self._waiting: weakref.WeakKeyDictionary[TConn, Waiting] = weakref.WeakKeyDictionary()
        self._paused_until = 0.0
        try:
            self._quick = {path: started_pool(QUICK_THREADS, path.decode()) for path in QUICK_PATHS}
            super().init_process()
        except Exception:
            if self.booted or not has_served():
                raise  # gunicorn ends if its first worker fails to start, and logs why
            self.log.exception("a worker cannot start; another tries in %g s", RETRY_S)
            time.sleep(RETRY_S)
            sys.exit(os.EX_TEMPFAIL)

    def get_thread_pool(self) -> ThreadPoolExecutor:
        """Return the pool of request threads, all of them started."""
        return started_pool(self.cfg.threads, "request")

    def run(self) -> None:
        """Serve until the worker is stopped, then wait for the last answers to arrive."""
        _has_served[0] = 1
        super().run()
        self._lingering.finish(LAST_S)

    def accept(self, listener: socket.socket) -> None:
        """Accept a connection, or pause accepting if no descriptor is free.

        gunicorn itself would end the worker.
        """
        try:
            super().accept(listener)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                raise
            self._paused_until = time.monotonic() + PAUSE_S
            self.log.warning("no connection is accepted for %g s: %s", PAUSE_S, error.strerror)
            self.set_accept_enabled(False)

    def set_accept_enabled(self, enabled: bool | None) -> None:
        """Turn accepting on or off. It stays off during a pause.

        gunicorn's loop calls this at least once a second.
        """
        super().set_accept_enabled(bool(enabled) and time.monotonic() >= self._paused_until)

    def enqueue_req(self, conn: TConn) -> None:
        """Peek at the received bytes and hand over, drop or keep the connection.

        gunicorn's main thread calls this.
        """
        known = self._waiting.get(conn) or Waiting(-1, time.monotonic() + HEADERS_S)
        unreader = getattr(conn.parser, "unreader", None)
        buffered: bytes = b"" if unreader is None else unreader.buf.getvalue()
        try:
            peeked = conn.sock.recv(MAX_HEADER_BYTES, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            peeked = None
        except OSError:  # reset: the parser finds out
            peeked = b""
        head = buffered + (peeked or b"")
        is_stalled = peeked is not None and len(peeked) <= max(known.seen, 0)
        if any(end in head for end in ENDS) or (is_stalled and is_half_closed(conn.sock)):
            self._waiting.pop(conn, None)
            conn.data_ready = True
            conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, 1)
            self._hand_over(conn, head)
        elif len(head) >= MAX_HEADER_BYTES:
            with contextlib.suppress(OSError):
                gunicorn.util.write_error(conn.sock, 431, "Request Header Fields Too Large", "")
            self._drop(conn)
        elif is_stalled or time.monotonic() >= known.until:
            # If the buffer is full before SO_RCVLOWAT is reached, the kernel wakes the poller
            # without new bytes, again and again. The parser would wait forever.
            self._drop(conn)
        else:
            self._wait(conn, Waiting(len(peeked or b""), known.until))

    def _hand_over(self, conn: TConn, head: bytes) -> None:
        """Let a thread serve a request. Health checks and metrics have threads of their own.

        Those threads do not serve a request with a body, because they would have to drain it, nor a
        client that has not read its earlier answers.
        """
        matched = QUICK.match(head)
        if matched is None or BODY.search(head):
            super().enqueue_req(conn)
        elif unsent_bytes(conn.sock):
            self._drop(conn)
        else:
            future = self._quick[matched[1]].submit(self.handle, conn)
            future.add_done_callback(
                lambda done: self.method_queue.defer(self.finish_request, conn, done)
            )

    def _wait(self, conn: TConn, waiting: Waiting) -> None:
        """Register a connection with the poller, which wakes when more bytes have arrived."""
        self._waiting[conn] = waiting
        conn.sock.setblocking(False)
        conn.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVLOWAT, waiting.seen + 1)
        conn.timeout = waiting.until
        insort(self.pending_conns, conn, key=_timeout_of)  # gunicorn checks the first only
        readable = partial(self.on_pending_socket_readable, conn)
        self.poller.register(conn.sock, selectors.EVENT_READ, readable)

    def _drop(self, conn: TConn) -> None:
        self._waiting.pop(conn, None)
        self.nr_conns -= 1
        self._lingering.close(conn.sock)

    def handle(self, conn: TConn) -> bool:
        """Serve a request in a thread of the pool.

        Returns:
            False if the connection is to be closed.

        """
        is_kept = super().handle(conn)
        if is_kept is False:
            sock, conn.sock = conn.sock, cast("socket.socket", Gone())
            self._lingering.close(sock)
        return is_kept

    def handle_request(self, req: Request, conn: TConn) -> bool:
        """Answer a request.

        The answer has "Connection: close" whenever the connection is to be closed.
        """
        bound_chunks(req)
        closes = req.should_close
        req.should_close = lambda: conn.sock in to_be_closed or closes()  # type: ignore[method-assign]
        return bool(super().handle_request(req, conn))

    def _keepalive_after(self, conn: TConn, keepalive: bool) -> bool:
        if conn.sock in to_be_closed:
            return False
        return bool(super()._keepalive_after(conn, keepalive))  # type: ignore[misc]


def _timeout_of(conn: TConn) -> float:
    return conn.timeout or 0.0


def started_pool(threads: int, name: str) -> ThreadPoolExecutor:
    """Return a pool whose threads are started already, so that none must start under load.

    Raises:
        RuntimeError: The threads cannot be started.

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
