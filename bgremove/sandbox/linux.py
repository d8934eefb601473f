"""The system calls that Python has no function for, through the C library."""

from __future__ import annotations

import ctypes
import os
import sys

# The options of prctl(2), from Linux's linux/prctl.h.
PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_GET_SECCOMP = 4, 38, 21


def prctl(option: int, value: int) -> int:
    """Read or change an attribute of this process.

    Raises:
        OSError: It failed.

    """
    library = ctypes.CDLL(None, use_errno=True)
    arguments = (ctypes.c_ulong(value), *[ctypes.c_ulong(0)] * 3)
    return _checked(library.prctl(ctypes.c_int(option), *arguments))


def syscall(number: int, *arguments: object) -> int:
    """Call the kernel by number; ``arguments`` are values of `ctypes`.

    Raises:
        OSError: It failed.

    """
    library = ctypes.CDLL(None, use_errno=True)
    return _checked(library.syscall(ctypes.c_long(number), *arguments))


def hide_memory() -> None:
    """Keep other processes of the same user from this one's memory, environment and descriptors.

    It leaves no core dump either. Processes that it forks inherit that, those that it starts anew
    do not. Without effect on systems other than Linux.
    """
    if sys.platform == "linux":
        prctl(PR_SET_DUMPABLE, 0)


def _checked(result: int) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result
