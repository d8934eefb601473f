"""The last good content of a file, in memory that a process shares with those it forks.

gunicorn makes a new worker on SIGHUP and whenever one dies. Should the file be broken just then,
the new worker goes by what any worker read last: to refuse everybody would be an outage, and what
the parent read at its start may hold keys revoked since.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from pathlib import Path

HEAD = struct.Struct("32sI")  # SHA-256 of the content, its bytes

_kept: dict[Path, LastGood] = {}


class LastGood:
    """Room for the content of one file. Writing takes no lock: a torn copy fails its SHA-256."""

    def __init__(self, max_bytes: int) -> None:
        self._memory = mmap.mmap(-1, HEAD.size + max_bytes)  # pages never touched cost nothing

    def keep(self, content: bytes) -> None:
        """Put content in the place of what was kept."""
        end = HEAD.size + len(content)
        self._memory[HEAD.size : end] = content
        HEAD.pack_into(self._memory, 0, hashlib.sha256(content).digest(), len(content))

    def content(self) -> bytes | None:
        """Return what was kept; None where nothing was, or another process writes right now."""
        digest, count = HEAD.unpack_from(self._memory)
        content = bytes(self._memory[HEAD.size : HEAD.size + count])
        return content if hashlib.sha256(content).digest() == digest else None


def last_good_of(path: Path, max_bytes: int) -> LastGood:
    """Return the room for a file, the same one in a process and all that it forks later."""
    return _kept.setdefault(path.absolute(), LastGood(max_bytes))
