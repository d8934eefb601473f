"""A file of keys that is read again when it changes. A broken file never admits anyone.

If the file is broken or missing at the start, SettingsError is raised. Later, the log and `/readyz`
report the error, and the last good keys stay in force until the file is good again.

A file that is read while it is still being written may end early, after a whole line. It then looks
like a file from which keys were removed. So a file that lacks keys in force must have the line
`END`, or stay unchanged for some seconds. If the last good file had that line, a file without it is
cut short.
"""

from __future__ import annotations

import hashlib
import logging
import mmap
import os
import stat
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

from bgremove.errors import SettingsError
from bgremove.keys.ring import END, MAX_FILE_BYTES, FileFaultError, KeyRing, has_end

LOOK_EVERY_S = 1.0
# A file that changes twice within one tick of the file system's clock keeps its times. So a file
# younger than this is read at every check. Two seconds is the coarsest clock in use.
SETTLED_NS = 2_000_000_000
STABLE_S = 10.0  # without a change, until a file without `END` that lost keys counts as complete
HEAD = struct.Struct("32sI")  # of the shared memory: SHA-256 of the content, its length in bytes
Signature = tuple[int, ...]
logger = logging.getLogger(__name__)

_kept: dict[Path, LastGood] = {}


class LastGood:
    """The last good content of one file, in memory that a process shares with its children.

    gunicorn starts a new worker on SIGHUP and whenever a worker dies. If the file is broken at that
    moment, the new worker uses the last content that any worker read. Refusing every request would
    be an outage, and the content that the parent read at its start may contain revoked keys.

    Writes take no lock; a torn copy fails its SHA-256 check.
    """

    def __init__(self, max_bytes: int) -> None:
        self._memory = mmap.mmap(-1, HEAD.size + max_bytes)  # untouched pages use no memory

    def keep(self, content: bytes) -> None:
        """Replace the stored content."""
        end = HEAD.size + len(content)
        self._memory[HEAD.size : end] = content
        HEAD.pack_into(self._memory, 0, hashlib.sha256(content).digest(), len(content))

    def content(self) -> bytes | None:
        """Return the stored content; None if there is none or another process is writing it."""
        digest, count = HEAD.unpack_from(self._memory)
        content = bytes(self._memory[HEAD.size : HEAD.size + count])
        return content if hashlib.sha256(content).digest() == digest else None


def last_good_of(path: Path, max_bytes: int) -> LastGood:
    """Return the shared memory for a file, the same in this process and its later children."""
    return _kept.setdefault(path.absolute(), LastGood(max_bytes))


class WatchedFile:
    """The keys of a file. ``setting`` is the name of its environment variable, for the log."""

    def __init__(
        self,
        path: Path,
        parse: Callable[[bytes], KeyRing],
        setting: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._parse, self._setting, self._clock = path, parse, setting, clock
        self._last_good = last_good_of(path, MAX_FILE_BYTES)
        self._lock = threading.Lock()
        self._seen: Signature | None = None  # None: read it at the next check in any case
        self._next_look = clock() + LOOK_EVERY_S
        self._fault: str | None = None
        self._ring, self._had_end = KeyRing(()), False
        self._awaited: tuple[bytes, float] | None = None  # content, and when it counts as complete
        kept = self._last_good.content()
        if kept is not None:
            self._ring, self._had_end = parse(kept), has_end(kept)
        try:
            self._read()
        except (OSError, FileFaultError) as error:
            if kept is None:
                raise SettingsError((f"{setting}={path}: {_words(error)}",)) from None
            self._note(_words(error))

    @property
    def fault(self) -> str | None:
        """The fault of the file while older keys are in force, else None."""
        self._look_if_due()
        return self._fault

    @property
    def ring(self) -> KeyRing:
        """The keys in force."""
        self._look_if_due()
        return self._ring

    def _look_if_due(self) -> None:
        """Check the file at most once a second, in one thread only."""
        if self._clock() >= self._next_look and self._lock.acquire(blocking=False):
            try:
                self._look()
            finally:
                self._lock.release()

    def _look(self) -> None:
        self._next_look = self._clock() + LOOK_EVERY_S
        before = self._ring
        try:
            if self._seen is not None and _signature(self._path.stat()) == self._seen:
                return
            self._read()
        except (OSError, FileFaultError) as error:
            self._seen = None
            self._note(_words(error))
            return
        if self._ring != before or self._fault is not None:
            logger.info("%s read again", self._setting, extra={"keys": len(self._ring)})
        self._fault = None

    def _read(self) -> None:
        content, found = _content(self._path)
        ring = self._parse(content)
        if not has_end(content):
            self._check_complete(content, ring)
        self._awaited = None
        self._ring, self._had_end = ring, has_end(content)
        self._last_good.keep(content)
        newest_ns = max(found.st_mtime_ns, found.st_ctime_ns)
        is_settled = time.time_ns() - newest_ns > SETTLED_NS
        self._seen = _signature(found) if is_settled else None

    def _check_complete(self, content: bytes, ring: KeyRing) -> None:
        """Raise FileFaultError if keys in force are missing and the file may be cut short."""
        missing = len(set(self._ring.digests) - set(ring.digests))
        if not missing:
            return
        fault = f"{missing} of {len(self._ring)} keys in force are missing"
        if self._had_end:
            raise FileFaultError(
                f"{fault}, and the line {END!r}: the file is cut short, or needs that line"
            )
        if self._awaited is None or self._awaited[0] != content:
            self._awaited = content, self._clock() + STABLE_S
        if self._clock() < self._awaited[1]:
            raise FileFaultError(
                f"{fault}; a file without the line {END!r} must stay unchanged for {STABLE_S:g}"
                " seconds first"
            )

    def _note(self, fault: str) -> None:
        """Log a fault once, not at every check."""
        if fault != self._fault:
            message = "%s cannot be used; the last good keys stay in force"
            logger.error(message, self._setting, extra={"cause": fault, "keys": len(self._ring)})
        self._fault = fault


def _content(path: Path) -> tuple[bytes, os.stat_result]:
    # Non-blocking, because opening a pipe for reading would wait for a writer.
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        found = os.fstat(file)
        if not stat.S_ISREG(found.st_mode):
            raise FileFaultError("no regular file")
        with open(file, "rb", closefd=False) as opened:
            content = opened.read(MAX_FILE_BYTES + 1)
    finally:
        os.close(file)
    if len(content) > MAX_FILE_BYTES:
        raise FileFaultError(f"more than the limit of {MAX_FILE_BYTES:,} bytes")
    return content, found


def _signature(found: os.stat_result) -> Signature:
    return (found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


def _words(error: OSError | FileFaultError) -> str:
    """Return the message of an error without the path, because `/readyz` shows it."""
    return str((error.strerror if isinstance(error, OSError) else None) or error)
