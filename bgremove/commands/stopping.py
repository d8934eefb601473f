"""Handle Ctrl-C during a batch: the first finishes started pictures, the second exits at once."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_BASE = 128  # exit code of a process ended by a signal: this plus the signal's number
MESSAGE = b"\nstopping after the pictures in progress; press Ctrl-C again to stop at once\n"


class Stop(threading.Event):
    """An event that ends a batch; ``exit_code`` is set if a signal caused it."""

    exit_code: int | None = None


@contextmanager
def stoppable() -> Iterator[Stop]:
    """Set the event on the first SIGINT or SIGTERM; restore the default action for the second."""
    stop = Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        del frame
        stop.exit_code = EXIT_BASE + number
        stop.set()
        for each in before:
            signal.signal(each, signal.SIG_DFL)
        os.write(
            sys.__stderr__.fileno() if sys.__stderr__ else 2, MESSAGE
        )  # print is not reentrant

    before = {each: signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)}
    for each in before:
        signal.signal(each, handle)
    try:
        yield stop
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
