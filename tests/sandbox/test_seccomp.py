"""The filter, run by an interpreter of its instructions for both architectures."""

from __future__ import annotations

import struct

import pytest

from bgremove.sandbox.seccomp import (
    ALLOW,
    ANY_BIT,
    ARCHITECTURES,
    AT_LEAST,
    CALLS,
    DENY,
    EQUAL,
    KILL,
    LOAD,
    RETURN,
    X32,
    program,
)

PROCESS = 4711
HOSTILE = {  # numbers on x86-64 and aarch64
    "openat": (257, 56),
    "socket": (41, 198),
    "connect": (42, 203),
    "clone": (56, 220),
    "execve": (59, 221),
    "kill": (62, 129),
    "ptrace": (101, 117),
    "process_vm_writev": (311, 271),
    "io_uring_setup": (425, 425),
}
MACHINES = list(enumerate(ARCHITECTURES))


def verdict(name: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """Run the filter on one call."""
    machine = ARCHITECTURES[name]
    values = [*arguments, *[0] * (6 - len(arguments))]
    data = struct.pack("<iIQ6Q", number, audit or machine.audit, 0, *values)
    code = list(struct.iter_unpack("=HBBI", program(machine, PROCESS)))
    at = loaded = 0
    while True:
        operation, yes, no, value = code[at]
        at += 1
        if operation == RETURN:
            return value
        if operation == LOAD:
            (loaded,) = struct.unpack_from("<I", data, value)
            continue
        holds = {EQUAL: loaded == value, AT_LEAST: loaded >= value, ANY_BIT: loaded & value}
        at += yes if holds[operation] else no


@pytest.mark.parametrize(("column", "name"), MACHINES)
def test_what_decoding_needs_is_let_through(column: int, name: str) -> None:
    numbers = {call: both[column] for call, both in CALLS.items()}
    assert verdict(name, numbers["futex"]) == ALLOW
    assert verdict(name, numbers["exit_group"]) == ALLOW
    assert verdict(name, numbers["mmap"], 0, 4096, 3, 0x22) == ALLOW
    assert verdict(name, numbers["tgkill"], PROCESS, 1, 6) == ALLOW
    assert verdict(name, numbers["recvmsg"], 0) == ALLOW


@pytest.mark.parametrize(("column", "name"), MACHINES)
def test_the_same_calls_are_denied_with_other_arguments(column: int, name: str) -> None:
    numbers = {call: both[column] for call, both in CALLS.items()}
    assert verdict(name, numbers["mmap"], 0, 4096, 7, 0x22) == DENY  # code
    assert verdict(name, numbers["mmap"], 0, 4096, 3, 0x01) == DENY  # of a file, shared
    assert verdict(name, numbers["mprotect"], 0, 4096, 4) == DENY
    assert verdict(name, numbers["tgkill"], PROCESS + 1, 1, 9) == DENY
    assert verdict(name, numbers["sendto"], 3) == DENY
    assert verdict(name, numbers["prlimit64"], 1, 0) == DENY
    assert verdict(name, numbers["prlimit64"], 0, 7) == DENY  # descriptors


@pytest.mark.parametrize(("column", "name"), MACHINES)
@pytest.mark.parametrize("call", HOSTILE)
def test_everything_else_is_denied(column: int, name: str, call: str) -> None:
    assert verdict(name, HOSTILE[call][column]) == DENY


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_calls_of_another_convention_are_denied(name: str) -> None:
    assert verdict(name, X32 | ARCHITECTURES[name].numbers["futex"]) == DENY
    assert verdict(name, ARCHITECTURES[name].numbers["futex"], audit=0x40000003) == KILL


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_jumps_stay_within_the_filter(name: str) -> None:
    code = list(struct.iter_unpack("=HBBI", program(ARCHITECTURES[name], PROCESS)))
    assert len(code) < 4096
    assert all(at + 1 + max(yes, no) < len(code) for at, (_, yes, no, _) in enumerate(code[:-1]))
