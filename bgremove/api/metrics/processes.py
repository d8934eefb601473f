"""Resident memory of the server's processes, read from Linux's /proc when somebody asks."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
PROC = Path("/proc")


class Processes(Collector):
    """The tree of processes under ``root``: ``levels`` names its generations, the root's first."""

    def __init__(self, root: int, levels: tuple[str, ...]) -> None:
        self._root = root
        self._levels = levels

    def collect(self) -> Iterable[Metric]:
        """Sum memory by generation; a page that two share is counted in both."""
        count = GaugeMetricFamily("bgremove_processes", "Processes", labels=["process"])
        memory = GaugeMetricFamily(
            "bgremove_resident_memory_bytes", "Resident memory", labels=["process"]
        )
        generation = [self._root]
        for level in self._levels:
            count.add_metric([level], len(generation))
            memory.add_metric([level], sum(map(resident_bytes, generation)))
            generation = [child for pid in generation for child in children(pid)]
        return count, memory


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process, 0 of one that has ended."""
    try:
        return int((PROC / str(pid) / "statm").read_text().split()[1]) * PAGE_BYTES
    except (FileNotFoundError, ProcessLookupError):
        return 0


def children(pid: int) -> Iterator[int]:
    """Yield the child processes of a process: each of its threads has its own."""
    for listing in (PROC / str(pid) / "task").glob("*/children"):
        try:
            yield from map(int, listing.read_text().split())
        except (FileNotFoundError, ProcessLookupError):  # the thread has just ended
            continue
