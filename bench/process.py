"""Memory and CPU time of a server's process tree."""

from __future__ import annotations

import os
import threading
import time

import psutil

from harness.processes import cpu_seconds, resident_bytes, total, tree

RSS_EVERY_S = 0.05  # shorter peaks may be missed
TREE_EVERY_S = 0.5  # between scans of all processes of the machine


def pss(pids: set[int]) -> int:
    """Return the resident bytes, with each shared page divided among its processes."""
    return int(total(pids, lambda process: process.memory_full_info().pss))


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
            self.rss_peak = max(self.rss_peak, resident_bytes(pids))
            if self._stop.wait(RSS_EVERY_S):
                return
