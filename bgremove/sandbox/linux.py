"""System calls without a function in Python, called through the C library."""

from __future__ import annotations

import ctypes
import os
import sys

# The options of prctl(2), from Linux's linux/prctl.h.
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_GET_SECCOMP = 4, 38, 21


def prctl(option: int, value: int) -> int:
    """Read or change an attribute of this process.

    Raises:
        OSError: The call failed.

    """
    library = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3)
    return _checked(library.prctl(ctypes.c_int(option), *arguments))


def syscall(number: int, *arguments: object) -> int:
    """Call the kernel by number. ``arguments`` are values of `ctypes`.

    Raises:
        OSError: The call failed.

    """
    library = ctypes.CDLL(None, use_errno=True)
    return _checked(library.syscall(ctypes.c_long(number), *arguments))


def hide_memory() -> None:
    """Hide this process's memory, environment and descriptors from the user's other processes.

    It also prevents core dumps. Forked processes inherit the protection; newly executed programs do
    not. On systems other than Linux it does nothing.
    """
    if sys.platform == "linux":
        prctl(PR_SET_DUMPABLE, 0)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
