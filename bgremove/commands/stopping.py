"""Ctrl-C during a batch: the first finishes what is begun, the second ends it at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_BASE = 128  # a shell's exit code for a process that a signal ended, plus the signal
SAID = b"\nstopping: what is begun is finished; once more stops at once\n"


class Stop(threading.Event):
    """Set when a batch is to end; ``exit_code`` is that of the signal that came, if one did."""

    exit_code: int | None = None


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Have SIGINT and SIGTERM set the event; the second of either does what it does by default."""
    stop = Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        stop.exit_code = EXIT_BASE + number
        stop.set()
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        os.write(sys.__stderr__.fileno() if sys.__stderr__ else 2, SAID)  # buffers may be in use

    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in before:
        signal.signal(each, handle)
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
