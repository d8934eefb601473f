"""A log handler that no reader can hold up.

A pipe that nobody reads is full after 64 KiB. A write to it waits, with the handler's lock, and
every thread that logs waits behind it: all requests hang while health answers.
"""

from __future__ import annotations

import logging
import os
import select
import stat
from collections.abc import Callable
from functools import partial
from typing import TextIO

DROPPED = "log lines were dropped: nobody reads them fast enough"


class LossyHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a pipe, a terminal or a socket while there is room, and counts the others.

    The next line that fits comes behind one that says how many were dropped.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self.dropped = 0
        self._rest = b""  # of a line that fitted in part
        writer = _writer(self.stream)
        self._always_fits = writer is None
        self._write: Callable[[bytes], int] = writer or len

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or drop it where that would wait."""
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
        """Write what there is room for; False where nothing of it is, and it may be dropped."""
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
    """Return what writes bytes to a stream, and raises BlockingIOError where that would wait.

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
        # The flag belongs to what the descriptor stands for, and others write there, too: so it is
        # opened anew, where the system and the pipe's owner allow that.
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
