"""Files in memory that two processes share, held against changes by one behind the other's back.

Linux has such files, and seals for them. Elsewhere a temporary file stands in that is unlinked at
once; it cannot be sealed, so what comes out of it is copied before it is used.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import tempfile
from collections.abc import Iterator

HAS_SEALS = hasattr(os, "memfd_create") and hasattr(fcntl, "F_ADD_SEALS")


@contextlib.contextmanager
def memory_file(name: str, size: int) -> Iterator[int]:
    """Open a file in memory of ``size`` bytes that nobody can shrink or grow."""
    file = open_memory_file(name)
    try:
        os.ftruncate(file, size)
        if HAS_SEALS:
            fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        yield file
    finally:
        os.close(file)


def open_memory_file(name: str) -> int:
    """Open an empty file that no other process can find, and return its descriptor."""
    if HAS_SEALS:
        return os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    file, path = tempfile.mkstemp(prefix=f"bgremove-{name}-")
    os.unlink(path)
    return file


def seal(file: int) -> None:
    """Let nobody write to the file from now on.

    Raises:
        OSError: It is mapped for writing somewhere.

    """
    if HAS_SEALS:
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)


def mapped(file: int, size: int) -> mmap.mmap | bytearray:
    """Map the first bytes of a sealed file; what is written to the mapping stays in it."""
    mapping = mmap.mmap(file, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    return mapping if HAS_SEALS else bytearray(mapping)
