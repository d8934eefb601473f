"""A log handler that never blocks.

A pipe without a reader is full after 64 KiB. A write then blocks while it holds the handler's lock,
and every thread that logs waits for it: all requests hang while health checks still answer.
"""

from __future__ import annotations

import logging
import os
import select
import stat
from collections.abc import Callable
from functools import partial
from typing import TextIO

DROPPED = "log lines were dropped because the reader is too slow"


class LossyHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a pipe, a terminal or a socket while there is room, and drops the others.

    A line with the number of dropped lines precedes the next line that fits.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self.dropped = 0
        self._rest = b""  # the rest of a line that fitted in part
        writer = _writer(self.stream)
        self._always_fits = writer is None
        self._write: Callable[[bytes], int] = writer or len

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or drop it where the write would block."""
        if self._always_fits:
            super().emit(record)
            return
        try:
            line = (self.format(record) + self.terminator).encode("utf-8", "backslashreplace")
            if self.dropped:
                line = self._note() + line
            if self._is_written(self._rest) and not self._rest and self._is_written(line):
                self.dropped = 0
            else:
                self.dropped += 1
        except Exception:
            self.handleError(record)

    def _note(self) -> bytes:
        note = logging.LogRecord(__name__, logging.WARNING, "", 0, DROPPED, None, None)
        note.count = self.dropped
        return (self.format(note) + self.terminator).encode()

    def _is_written(self, line: bytes) -> bool:
        """Write as much as fits; return False where nothing fits and the line may be dropped."""
        whole = len(line)
        try:
            while line:
                line = line[self._write(line) :]
        except BlockingIOError:
            if len(line) == whole:
                return False
        self._rest = line
        return True


def _writer(stream: TextIO) -> Callable[[bytes], int] | None:
    """Return a function that writes bytes to a stream, or raises BlockingIOError if that blocks.

    None for files, which always have room, and for streams without a descriptor.
    """
    try:
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError, AttributeError):  # captured, or closed
        return None
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stream.isatty()):
        return None
    try:
        # The non-blocking flag is shared by all processes that write to the pipe. It is therefore
        # opened again where the system and the pipe's owner permit it.
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return partial(os.write, os.open(f"/proc/self/fd/{descriptor}", flags))
    except OSError:
        return partial(_write_if_ready, descriptor)


def _write_if_ready(descriptor: int, data: bytes) -> int:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    if not poll.poll(0):
        raise BlockingIOError
    return os.write(descriptor, data[: select.PIPE_BUF])
