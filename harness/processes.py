"""Processes of a server: its children, their memory, descriptors and CPU time."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable, Iterable, Iterator

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


def resident_bytes(pids: Iterable[int]) -> int:
    """Return the resident bytes of these processes; shared pages are counted in each."""
    return int(total(pids, lambda process: process.memory_info().rss))


def descriptors(pid: int) -> int:
    """Return the number of open file descriptors of a process."""
    return len(os.listdir(f"/proc/{pid}/fd"))


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the CPU time of these processes and of their ended children."""
    return total(pids, lambda process: sum(process.cpu_times()[:4]))


def total(pids: Iterable[int], read: Callable[[psutil.Process], float]) -> float:
    """Sum a figure over these processes, without those that have ended."""
    found = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            found += read(psutil.Process(pid))
    return found


@contextlib.contextmanager
def frozen(pids: Iterable[int]) -> Iterator[None]:
    """Stop processes until the block ends: the kernel accepts connections, but nothing answers."""
    stopped = list(pids)
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in stopped:
            os.kill(pid, signal.SIGCONT)
