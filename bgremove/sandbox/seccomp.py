"""A seccomp filter that allows the calls a decoder needs. Every other call fails with EPERM.

The filter is a program of the classic Berkeley packet filter over ``struct seccomp_data``: number,
architecture, instruction pointer and six arguments. Source: Linux, seccomp(2) and bpf(2),
and its tables of system calls. The list of calls was found by running a decoder on all test
pictures while every other call ended it.
"""

from __future__ import annotations

import ctypes
import errno
import mmap
import os
import platform
import resource
import struct
from dataclasses import dataclass

from bgremove.sandbox.linux import PR_GET_SECCOMP, PR_SET_NO_NEW_PRIVS, prctl, syscall

SET_MODE_FILTER, ALL_THREADS = 1, 1
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
ALLOW, KILL, DENY = 0x7FFF0000, 0x80000000, 0x00050000 | errno.EPERM
NUMBER_AT, ARCHITECTURE_AT, ARGUMENTS_AT = 0, 4, 16
X32 = 0x40000000  # call numbers from here belong to the x32 convention on x86-64
STANDARD_INPUT, STANDARD_ERROR = 0, 2
PROT_EXEC = 4


@dataclass(frozen=True, slots=True)
class Architecture:
    """Numbers of an architecture.

    Attributes:
        audit: AUDIT_ARCH of linux/audit.h.
        seccomp: Number of the call seccomp.
        numbers: Numbers of the allowed calls by name.

    """

    audit: int
    seccomp: int
    numbers: dict[str, int]


# The allowed calls: name to numbers on x86-64 and aarch64. The filter compares in this order,
# frequent calls first. `program` limits the arguments of some.
CALLS = {
    "futex": (202, 98),
    "mmap": (9, 222),
    "munmap": (11, 215),
    "brk": (12, 214),
    "pread64": (17, 67),
    "pwrite64": (18, 68),
    "recvmsg": (47, 212),
    "sendto": (44, 206),
    "close": (3, 57),
    "mremap": (25, 216),
    "madvise": (28, 233),
    "mprotect": (10, 226),
    "prlimit64": (302, 261),
    "getrusage": (98, 165),
    "clock_gettime": (228, 113),
    "gettimeofday": (96, 169),
    "getrandom": (318, 278),
    "sched_yield": (24, 124),
    "write": (1, 64),
    "rt_sigaction": (13, 134),
    "rt_sigprocmask": (14, 135),
    "rt_sigreturn": (15, 139),
    "restart_syscall": (219, 128),
    "getpid": (39, 172),
    "gettid": (186, 178),
    "tgkill": (234, 131),
    "exit": (60, 93),
    "exit_group": (231, 94),
}
ARCHITECTURES = {
    "x86_64": Architecture(0xC000003E, 317, {name: call[0] for name, call in CALLS.items()}),
    "aarch64": Architecture(0xC00000B7, 277, {name: call[1] for name, call in CALLS.items()}),
}


class Program(ctypes.Structure):
    """``struct sock_fprog``."""

    _fields_ = (("length", ctypes.c_ushort), ("instructions", ctypes.c_char_p))


def lacking() -> str | None:
    """Return the reason that no filter is available, or None."""
    if platform.machine() not in ARCHITECTURES:
        return f"no seccomp filter is written for {platform.machine()}"
    try:
        prctl(PR_GET_SECCOMP, 0)
    except OSError:
        return "the kernel offers no seccomp filters"
    return None


def allow_only_decoding() -> None:
    """Restrict all threads of this process to the calls that decoding needs.

    Raises:
        OSError: The kernel refused the filter.

    """
    machine = ARCHITECTURES[platform.machine()]
    code = program(machine, os.getpid())
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    filled = Program(len(code) // 8, code)
    mode, flags = ctypes.c_uint(SET_MODE_FILTER), ctypes.c_uint(ALL_THREADS)
    syscall(machine.seccomp, mode, flags, ctypes.byref(filled))


def program(machine: Architecture, process: int) -> bytes:
    """Return the filter's instructions, 8 bytes each, for a process with this id."""
    # Conditions of a call, on the low 32 bits of its arguments. All must hold.
    conditions = {
        "mmap": [_has_not(2, PROT_EXEC), _has(3, mmap.MAP_ANONYMOUS)],
        "mprotect": [_has_not(2, PROT_EXEC)],
        "recvmsg": [_is(0, STANDARD_INPUT)],
        "sendto": [_is(0, STANDARD_INPUT)],
        "write": [_is(0, STANDARD_ERROR)],
        "prlimit64": [_is(0, 0), _is(1, resource.RLIMIT_CPU)],
        "tgkill": [_is(0, process)],
    }
    code = [
        _step(LOAD, ARCHITECTURE_AT),
        _step(EQUAL, machine.audit, 1, 0),
        _step(RETURN, KILL),
        _step(LOAD, NUMBER_AT),
        _step(AT_LEAST, X32, 0, 1),
        _step(RETURN, DENY),
    ]
    for name, number in machine.numbers.items():
        checks = [step for condition in conditions.get(name, []) for step in condition]
        then = [*checks, _step(RETURN, ALLOW)]
        code += [_step(EQUAL, number, 0, len(then)), *then]
    code.append(_step(RETURN, DENY))
    return b"".join(code)


def _is(argument: int, value: int) -> list[bytes]:
    return [_argument(argument), _step(EQUAL, value, 1, 0), _step(RETURN, DENY)]


def _has(argument: int, bit: int) -> list[bytes]:
    return [_argument(argument), _step(ANY_BIT, bit, 1, 0), _step(RETURN, DENY)]


def _has_not(argument: int, bit: int) -> list[bytes]:
    return [_argument(argument), _step(ANY_BIT, bit, 0, 1), _step(RETURN, DENY)]


def _argument(number: int) -> bytes:
    """Load the low half of an argument. Both architectures are little-endian."""
    return _step(LOAD, ARGUMENTS_AT + 8 * number)


def _step(operation: int, value: int, skip_if: int = 0, skip_if_not: int = 0) -> bytes:
    """Return a ``struct sock_filter``. The skips count instructions after a comparison."""
    return struct.pack("=HBBI", operation, skip_if, skip_if_not, value)
