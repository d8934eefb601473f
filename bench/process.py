"""Memory and CPU time of a server's process tree."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable

import psutil

RSS_EVERY_S = 0.05  # shorter peaks may be missed
TREE_EVERY_S = 0.5  # between scans of all processes of the machine


def descendants(root: int, parents: dict[int, tuple[int, int]]) -> set[int]:
    """Return the processes of the root's session and all their descendants.

    ``parents`` maps each process to its parent and session. A child may have its own session, and
    an orphan stays in its session.
    """
    children: dict[int, list[int]] = {}
    for pid, (parent, _) in parents.items():
        children.setdefault(parent, []).append(pid)
    found = set()
    waiting = [pid for pid, (_, session) in parents.items() if root in (pid, session)]
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def tree(root: int) -> set[int]:
    """Return the living processes of a server that was started in its own session."""
    parents = {}
    for process in psutil.process_iter(["ppid", "status"]):
        if process.info["status"] != psutil.STATUS_ZOMBIE:
            with contextlib.suppress(OSError):  # it has just ended
                parents[process.pid] = process.info["ppid"], os.getsid(process.pid)
    return descendants(root, parents)


def rss(pids: set[int]) -> int:
    """Return the resident bytes of these processes; shared pages are counted in each."""
    return int(_total(pids, lambda process: process.memory_info().rss))


def pss(pids: set[int]) -> int:
    """Return the resident bytes, with each shared page divided among its processes."""
    return int(_total(pids, lambda process: process.memory_full_info().pss))


def cpu_seconds(pids: set[int]) -> float:
    """Return the CPU time of these processes and of their ended children."""
    return _total(pids, lambda process: sum(process.cpu_times()[:4]))


def machine_busy_seconds() -> float:
    """Return the CPU time of all processes on this machine, including steal time."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def own_seconds() -> float:
    """Return the CPU time of this process."""
    used = os.times()
    return used.user + used.system


class Watch:
    """Samples a server's memory in a thread and its CPU time at both ends, as a context manager.

    PSS is sampled only with ``with_pss``: the kernel walks all pages, which slows large processes.
    """

    def __init__(self, root: int, *, with_pss: bool) -> None:
        self._root = root
        self._with_pss = with_pss
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self.rss_peak = 0
        self.pss_peak = 0
        self.cpu_s = 0.0
        self.client_cpu_s = 0.0
        self.foreign_cpu_s = 0.0

    def __enter__(self) -> Watch:
        self._before = self._cpu()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        server, own, machine = (
            after - before for before, after in zip(self._before, self._cpu(), strict=True)
        )
        self.cpu_s, self.client_cpu_s = server, own
        self.foreign_cpu_s = max(0.0, machine - server - own)

    def _cpu(self) -> tuple[float, float, float]:
        return cpu_seconds(tree(self._root)), own_seconds(), machine_busy_seconds()

    def _sample(self) -> None:
        looked, pids = -TREE_EVERY_S, set[int]()
        while True:
            if time.monotonic() - looked >= TREE_EVERY_S:
                pids = tree(self._root)
                if self._with_pss:
                    self.pss_peak = max(self.pss_peak, pss(pids))
                looked = time.monotonic()
            self.rss_peak = max(self.rss_peak, rss(pids))
            if self._stop.wait(RSS_EVERY_S):
                return


def _total(pids: set[int], read: Callable[[psutil.Process], float]) -> float:
    """Sum a figure over these processes, without those that have ended."""
    total = 0.0
    for pid in pids:
        with contextlib.suppress(psutil.NoSuchProcess):
            total += read(psutil.Process(pid))
    return total
