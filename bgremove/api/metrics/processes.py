"""Resident memory of the server's processes, read when /metrics is requested."""

from __future__ import annotations

from collections.abc import Iterable

import psutil
from prometheus_client import Metric
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector


class Processes(Collector):
    """Collector of the memory of the process tree under ``root``.

    ``levels`` names the generations of the tree, from the root down.
    """

    def __init__(self, root: int, levels: tuple[str, ...]) -> None:
        self._root = root
        self._levels = levels

    def collect(self) -> Iterable[Metric]:
        """Sum memory by generation. A page that two processes share is counted in both."""
        count = GaugeMetricFamily("bgremove_processes", "Processes", labels=["process"])
        memory = GaugeMetricFamily(
            "bgremove_resident_memory_bytes", "Resident memory", labels=["process"]
        )
        generation = _existing(self._root)
        for level in self._levels:
            count.add_metric([level], len(generation))
            memory.add_metric([level], sum(map(_resident_bytes, generation)))
            generation = [child for parent in generation for child in _children(parent)]
        return count, memory


def _existing(pid: int) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return []


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:  # it has ended meanwhile
        return 0


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.NoSuchProcess:
        return []
