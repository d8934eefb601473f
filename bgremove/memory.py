"""Memory of the process: files that two processes share, and freed memory given back to the system.

Linux provides memory files and seals that forbid later changes. Other systems use a temporary file
that is unlinked at once. It cannot be sealed, so its content is copied before use.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import mmap
import os
import tempfile
from collections.abc import Iterator

MIB = 1024 * 1024
HAS_SEALS = hasattr(os, "memfd_create") and hasattr(fcntl, "F_ADD_SEALS")
# The parameters of mallopt in glibc's malloc.h, and their values. glibc raises its threshold for
# separately mapped blocks up to 32 MiB when it meets large blocks, and then keeps freed pictures in
# the heap of each thread. With fixed thresholds a server uses 540 MB after four clients instead of
# 880, for 4 % of its throughput (2 cores, up to 7 megapixels).
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD, M_ARENA_MAX = -1, -3, -8
MALLOC = {M_TRIM_THRESHOLD: 16 * MIB, M_MMAP_THRESHOLD: 4 * MIB, M_ARENA_MAX: 2}


def return_freed_memory() -> bool:
    """Fix malloc's thresholds in this process; False where the C library is not glibc."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    return all(mallopt(parameter, value) == 1 for parameter, value in MALLOC.items())


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
