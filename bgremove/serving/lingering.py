"""Closing connections in a thread of its own, which no client can hold up.

Who closes a connection with data unread resets it, and the client may lose the answer it was sent.
So what still comes is read for a while. gunicorn does that, too, but in the thread that accepts
connections, for up to 2 s each: beside 40 clients that did not close theirs, a health check took
10 s.
"""

from __future__ import annotations

import contextlib
import os
import queue
import selectors
import socket
import threading
import time

MAX_SECONDS = 5.0  # that a closing connection is read
MAX_BYTES = 64 << 20  # that are read of it at most; then the reset is earned
AT_ONCE = 256  # connections that linger; the next is closed without that
BLOCK_BYTES = 1 << 18
LOOK_S = 0.02  # between two looks whether all are closed
TICK_S = 0.5  # between two looks at the clock while nothing comes


class Lingering:
    """Closes sockets; the thread starts with the first."""

    def __init__(self) -> None:
        self._new: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._bell = os.eventfd(0)
        self._ends: dict[socket.socket, tuple[float, int]] = {}  # by when, and bytes left
        self._lock = threading.Lock()
        self._is_started = False

    def close(self, sock: socket.socket) -> None:
        """Say that nothing more will be sent, read what still comes, then close; returns at once.

        The socket belongs to this object from here on.
        """
        try:
            sock.shutdown(socket.SHUT_WR)
            sock.setblocking(False)
            self._start()
        except (OSError, RuntimeError):  # reset already, or there is no thread to be had
            sock.close()
            return
        self._new.put(sock)
        os.eventfd_write(self._bell, 1)

    def finish(self, seconds: float) -> None:
        """Wait so long, at most, until every connection is closed."""
        end = time.monotonic() + seconds
        while (self._ends or not self._new.empty()) and time.monotonic() < end:
            time.sleep(LOOK_S)

    def _start(self) -> None:
        with self._lock:
            if not self._is_started:
                threading.Thread(target=self._run, name="lingering", daemon=True).start()
                self._is_started = True

    def _run(self) -> None:
        self._selector.register(self._bell, selectors.EVENT_READ)
        while True:
            for key, _ in self._selector.select(TICK_S if self._ends else None):
                if key.fileobj == self._bell:
                    os.eventfd_read(self._bell)
                    self._admit()
                elif isinstance(key.fileobj, socket.socket):
                    self._read(key.fileobj)
            now = time.monotonic()
            for sock in [sock for sock, (by, _) in self._ends.items() if by <= now]:
                self._forget(sock)

    def _admit(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                sock = self._new.get_nowait()
                if len(self._ends) >= AT_ONCE:
                    sock.close()
                    continue
                try:
                    self._selector.register(sock, selectors.EVENT_READ)
                except (ValueError, KeyError, OSError):  # closed meanwhile, or no room to watch it
                    sock.close()
                    continue
                self._ends[sock] = (time.monotonic() + MAX_SECONDS, MAX_BYTES)

    def _read(self, sock: socket.socket) -> None:
        try:
            count = len(sock.recv(BLOCK_BYTES))
        except BlockingIOError:
            return
        except OSError:  # reset by the client
            count = 0
        by, left = self._ends[sock]
        self._ends[sock] = (by, left - count)
        if count == 0 or count >= left:
            self._forget(sock)

    def _forget(self, sock: socket.socket) -> None:
        del self._ends[sock]
        self._selector.unregister(sock)
        sock.close()
