"""Processes of a server: its children, and their memory."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable

import psutil


def children(pid: int) -> list[int]:
    """Return the ids of the child processes of ``pid``, none if the process has ended."""
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []


def descendants(root: int, parents: dict[int, tuple[int, int]]) -> set[int]:
    """Return the processes of the root's session and all their descendants.

    ``parents`` maps each process to its parent and session. A child may have its own session, and
    an orphan stays in its session.
    """
    below: dict[int, list[int]] = {}
    for pid, (parent, _) in parents.items():
        below.setdefault(parent, []).append(pid)
    found = set()
    waiting = [pid for pid, (_, session) in parents.items() if root in (pid, session)]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += below.get(pid, [])
    return found


def tree(root: int) -> set[int]:
    """Return the living processes of a server that was started in its own session."""
    parents = {}
    for process in psutil.process_iter(["ppid", "status"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE:
            with contextlib.suppress(OSError):  # it has just ended
                parents[process.pid] = process.info["ppid"], os.getsid(process.pid)
    return descendants(root, parents)


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process in bytes, 0 if the process has ended."""
    return int(total({pid}, lambda process: process.memory_info().rss))


def cpu_seconds(pids: set[int]) -> float:
    """Return the CPU time of these processes and of their ended children."""
    return total(pids, lambda process: sum(process.cpu_times()[:4]))


def total(pids: set[int], read: Callable[[psutil.Process], float]) -> float:
    """Sum a figure over these processes, without those that have ended."""
    found = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            found += read(psutil.Process(pid))
    return found
