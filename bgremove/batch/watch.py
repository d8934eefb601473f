"""Watch folders for changes, and report the pictures that are completely written."""

from __future__ import annotations

import fcntl
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from watchdog.events import (
    DirDeletedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileDeletedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

from bgremove.batch.records import Job

POLL_S = 0.25  # interval between checks of unfinished pictures, and of `stop`
CHANGES = [
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileDeletedEvent,  # an obstacle to other pictures may be gone
    DirDeletedEvent,
]
State = tuple[int, int, int]  # of a file: inode, bytes, nanoseconds of its last change


class _Bell(FileSystemEventHandler):
    """Set an event on any change."""

    def __init__(self, has_rung: threading.Event) -> None:
        self._has_rung = has_rung

    def on_any_event(self, event: FileSystemEvent) -> None:
        del event
        self._has_rung.set()


class Watch:
    """Select each picture once it is completely written, and again after each change."""

    def __init__(self, settle_s: float) -> None:
        """Treat a picture as written after ``settle_s`` without changes or open writers."""
        self._settle_s = settle_s
        self._given: dict[Path, State] = {}
        self._seen: dict[Path, tuple[State, float]] = {}

    def ready(self, jobs: Sequence[Job], now: float) -> list[Job]:
        """Return the jobs whose pictures are written, and new or changed since their last return.

        ``now`` is a time of ``time.monotonic``. A failed picture is not returned again until it
        changes.
        """
        written = []
        for job in jobs:
            path = Path(job.source)
            state = _state(path)
            if state is None or self._given.get(path) == state:
                continue
            seen = self._seen.get(path)
            if seen is None or seen[0] != state:
                self._seen[path] = (state, now)
            elif now - seen[1] >= self._settle_s and not is_being_written(path):
                self._given[path] = state
                del self._seen[path]
                written.append(job)
        self._seen = {path: seen for path, seen in self._seen.items() if path.exists()}
        return written

    @property
    def waits(self) -> bool:
        """Whether a picture is possibly unfinished."""
        return bool(self._seen)


def looks(folders: Sequence[Path], watch: Watch, stop: threading.Event) -> Iterator[float]:
    """Yield the current time whenever the folders should be checked, until ``stop``."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # see `is_being_written`
    has_rung = threading.Event()
    has_rung.set()  # check the existing files first
    observer = Observer()
    for folder in folders:
        observer.schedule(_Bell(has_rung), str(folder), recursive=True, event_filter=CHANGES)
    observer.start()
    try:
        while not stop.is_set():
            if has_rung.is_set() or watch.waits:
                has_rung.clear()
                yield time.monotonic()
            stop.wait(POLL_S)
    finally:
        observer.stop()
        observer.join()


def is_being_written(path: Path) -> bool:
    """Return whether a process has the file open for writing; False if the system cannot tell.

    The kernel grants a read lease only on a file that no process has open for writing. The lease is
    released at once. A process that opens the file in between causes a SIGIO, which is ignored.
    """
    if not hasattr(fcntl, "F_SETLEASE"):  # only Linux has it
        return False
    try:
        file = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # it may have become a pipe
    except OSError:
        return False
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except BlockingIOError:  # EAGAIN: open for writing
        return True
    except OSError:  # a file of another user, or a file system without leases: rely on ``settle_s``
        return False
    finally:
        os.close(file)
    return False


def _state(path: Path) -> State | None:
    try:
        stat = path.stat()
    except OSError:
        return None
    return stat.st_ino, stat.st_size, stat.st_mtime_ns
