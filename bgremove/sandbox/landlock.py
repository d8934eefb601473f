"""Landlock: a process gives up access to files, TCP and signals to other processes.

Source: Linux, landlock(7).
"""

from __future__ import annotations

import ctypes
import os

from bgremove.sandbox.linux import PR_SET_NO_NEW_PRIVS, prctl, syscall

CREATE_RULESET, RESTRICT_SELF = 444, 446  # on every architecture
VERSION_FLAG = 1
# Number of file rights that can be given up, by the version of the interface.
FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # one bit for each right
NETWORK_SINCE, BIND_AND_CONNECT = 4, 0b11
SCOPE_SINCE, ABSTRACT_SOCKETS_AND_SIGNALS = 6, 0b11


class Ruleset(ctypes.Structure):
    """``struct landlock_ruleset_attr``. Older kernels accept a prefix of it."""

    _fields_ = (
        ("files", ctypes.c_uint64),
        ("network", ctypes.c_uint64),
        ("scope", ctypes.c_uint64),
    )


def version() -> int:
    """Return the version of the kernel's interface, or 0 without Landlock."""
    try:
        return syscall(CREATE_RULESET, None, ctypes.c_size_t(0), ctypes.c_uint32(VERSION_FLAG))
    except OSError:  # not supported, switched off, or blocked by an outer filter
        return 0


def lacking() -> str | None:
    """Return the reason that Landlock is not available, or None."""
    return None if version() else "the kernel offers no Landlock (Linux 5.13 or later has it)"


def deny_all() -> None:
    """Give up every right that Landlock can remove.

    Raises:
        OSError: The kernel refused the rules.

    """
    known = version()
    rights = FILE_RIGHTS[min(known, max(FILE_RIGHTS))]
    ruleset = Ruleset(files=(1 << rights) - 1)
    size = ctypes.sizeof(ctypes.c_uint64)
    if known >= NETWORK_SINCE:
        ruleset.network, size = BIND_AND_CONNECT, 2 * size
    if known >= SCOPE_SINCE:
        ruleset.scope, size = ABSTRACT_SOCKETS_AND_SIGNALS, ctypes.sizeof(Ruleset)
    nothing = ctypes.c_uint32(0)
    file = syscall(CREATE_RULESET, ctypes.byref(ruleset), ctypes.c_size_t(size), nothing)
    try:
        prctl(PR_SET_NO_NEW_PRIVS, 1)
        syscall(RESTRICT_SELF, ctypes.c_int(file), nothing)
    finally:
        os.close(file)
