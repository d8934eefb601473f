"""Files without a name, in memory where the system has such."""

from __future__ import annotations

import os
import tempfile


def open_memory_file(name: str, *, sealable: bool = False) -> int:
    """Open a new file that no other process can find, and return its descriptor.

    On Linux it lies in memory, and with ``sealable`` its size can be fixed; elsewhere it is a
    temporary file that is unlinked at once.
    """
    if hasattr(os, "memfd_create"):
        seals = os.MFD_ALLOW_SEALING if sealable else 0
        return os.memfd_create(name, os.MFD_CLOEXEC | seals)
    descriptor, path = tempfile.mkstemp(prefix=f"bgremove-{name}-")
    os.unlink(path)
    return descriptor
