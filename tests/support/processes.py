"""Child processes of a server under test, and their memory."""

from __future__ import annotations

import psutil


def children(pid: int) -> list[int]:
    """Return the ids of the child processes of ``pid``, none if the process has ended."""
    try:
        return [child.pid for child in psutil.Process(pid).children()]
    except psutil.NoSuchProcess:
        return []


def resident_bytes(pid: int) -> int:
    """Return the resident memory of a process in bytes, 0 if the process has ended."""
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
