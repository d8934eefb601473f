"""Memory files shared by two processes, sealed against later changes.

Linux provides such files and their seals. Other systems use a temporary file that is unlinked at
once. It cannot be sealed, so its content is copied before use.
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
    """Open a memory file of ``size`` bytes that cannot shrink or grow."""
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
    """Make the file read-only for all processes.

    Raises:
        OSError: A process has mapped the file for writing.

    """
    if HAS_SEALS:
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)


def mapped(file: int, size: int) -> mmap.mmap | bytearray:
    """Map the first bytes of a sealed file; writes to the mapping do not reach the file."""
    mapping = mmap.mmap(file, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
    return mapping if HAS_SEALS else bytearray(mapping)
