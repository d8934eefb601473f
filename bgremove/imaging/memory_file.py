"""Files in memory that a worker shares with a decoder, held against changes behind its back."""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
from collections.abc import Iterator


@contextlib.contextmanager
def memory_file(name: str, size: int) -> Iterator[int]:
    """Open a file in memory of ``size`` bytes that nobody can shrink or grow."""
    file = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(file, size)
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        yield file
    finally:
        os.close(file)


def seal(file: int) -> None:
    """Let nobody write to the file from now on.

    Raises:
        OSError: It is mapped for writing somewhere.

    """
    fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)


def mapped(file: int, size: int) -> mmap.mmap:
    """Map the first bytes of a sealed file; what is written to the mapping stays in it."""
    return mmap.mmap(file, size, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_WRITE)
