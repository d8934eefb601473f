"""The last good content of a file, in memory that a process shares with its children.

gunicorn starts a new worker on SIGHUP and whenever a worker dies. If the file is broken at that
moment, the new worker uses the last content that any worker read. Refusing every request would be
an outage, and the content that the parent read at its start may contain revoked keys.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from pathlib import Path

HEAD = struct.Struct("32sI")  # SHA-256 of the content, and its length in bytes

_kept: dict[Path, LastGood] = {}


class LastGood:
    """Shared memory for one file. Writes take no lock; a torn copy fails its SHA-256 check."""

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
