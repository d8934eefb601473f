"""How many cores this process really has: affinity, and the quota of every cgroup it is in."""

from __future__ import annotations

import math
import os
from pathlib import Path

UNLIMITED = 1024.0  # cores; more than any machine here has
CGROUP_ROOT = Path("/sys/fs/cgroup")
CGROUP_OF_SELF = Path("/proc/self/cgroup")


def available_cpus(root: Path = CGROUP_ROOT, of_self: Path = CGROUP_OF_SELF) -> int:
    """Return the cores to count on, at least 1; half a core of quota counts as one."""
    quotas = [_quota_v2(folder) for folder in _folders(root, of_self)]
    quotas.append(_quota_v1(root / "cpu"))
    return max(1, min(len(os.sched_getaffinity(0)), *(math.ceil(quota) for quota in quotas)))


def _folders(root: Path, of_self: Path) -> list[Path]:
    """Return the unified-hierarchy folders from the process's own up to the root."""
    own = "/"
    for line in _text(of_self).splitlines():
        if line.startswith("0::"):
            own = line[3:]
    folder = root / own.lstrip("/")
    above = [parent for parent in folder.parents if parent.is_relative_to(root)]
    return [folder, *above]


def _quota_v2(folder: Path) -> float:
    quota, _, period = _text(folder / "cpu.max").strip().partition(" ")
    return _cores(quota, period)


def _quota_v1(folder: Path) -> float:
    quota = _text(folder / "cpu.cfs_quota_us").strip()
    period = _text(folder / "cpu.cfs_period_us").strip()
    return _cores(quota, period)


def _cores(quota: str, period: str) -> float:
    """Divide two numbers of microseconds; words like "max" and "-1" mean that there is no limit."""
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else UNLIMITED


def _text(path: Path) -> str:
    try:
        return os.fsdecode(path.read_bytes())  # a cgroup's name may be in any encoding
    except OSError:
        return ""
