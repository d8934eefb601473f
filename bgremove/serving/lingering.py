"""Close connections in a separate thread, which no client can delay.

Closing a connection with unread data resets it, and the client may lose its answer. So the
remaining data is read for a while. gunicorn does the same in the thread that accepts connections,
for up to 2 s each: with 40 clients that did not close their connections, a health check took 10 s.
"""

from __future__ import annotations

import contextlib
import os
import queue
import selectors
import socket
import threading
import time

MAX_SECONDS = 5.0  # time for reading a closing connection
MAX_BYTES = 64 << 20  # read of it at most; beyond that, it is reset
AT_ONCE = 256  # lingering connections; further ones are closed immediately
BLOCK_BYTES = 1 << 18
LOOK_S = 0.02  # between two checks in `finish`
TICK_S = 0.5  # between two checks of the clock while no data arrives


class Lingering:
    """Closes sockets after draining them. The thread starts with the first socket."""

    def __init__(self) -> None:
        self._new: queue.SimpleQueue[socket.socket] = queue.SimpleQueue()
        self._selector = selectors.DefaultSelector()
        self._bell = os.eventfd(0)
        self._ends: dict[socket.socket, tuple[float, int]] = {}  # deadline, and bytes left to read
        self._lock = threading.Lock()
        self._is_started = False

    def close(self, sock: socket.socket) -> None:
        """Shut down sending, drain the socket in the background, then close it. Returns at once.

        The socket belongs to this object from now on.
        """
        try:
            sock.shutdown(socket.SHUT_WR)
            sock.setblocking(False)
            self._start()
        except (OSError, RuntimeError):  # already reset, or no thread can be started
            sock.close()
            return
        self._new.put(sock)
        os.eventfd_write(self._bell, 1)

    def finish(self, seconds: float) -> None:
        """Wait until every connection is closed, for at most ``seconds``."""
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
                except (ValueError, KeyError, OSError):  # closed meanwhile, or the poller is full
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
