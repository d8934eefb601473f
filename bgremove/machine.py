"""The resources available to this process: cores, memory limits, processor instructions.

psutil has the machine's totals, but neither the limits of a container (cgroups) nor the processor's
instructions. Both are read here.
"""

from __future__ import annotations

import math
import os
import platform
from collections.abc import Iterator
from pathlib import Path

import psutil

UNLIMITED = 1024.0  # cores; more than any supported machine has
CGROUPS = Path("/sys/fs/cgroup")
CGROUP_OF_SELF = Path("/proc/self/cgroup")
CPUINFO = Path("/proc/cpuinfo")
# Two pictures at once use the time in which one is idle: 4.8 pictures a second with two or with
# three on 2 cores, 4.3 with one. More than eight only cost memory.
LEAST_JOBS, MOST_JOBS = 2, 8
# Int8 dot products in one instruction. Without them int8 may not be faster, and saturates on AVX2.
DOT_PRODUCTS = frozenset({"avx512_vnni", "avx_vnni", "avxvnni", "asimddp"})


def available_cpus(root: Path = CGROUPS, of_self: Path = CGROUP_OF_SELF) -> int:
    """Return the number of cores under the affinity and all cgroup quotas, at least 1.

    Fractions of a core are rounded up.
    """
    quotas = [_quota_v2(folder) for folder in _groups(root, of_self, controller="")]
    quotas.append(_quota_v1(root / "cpu"))
    return max(1, min(_affinity(), *(math.ceil(quota) for quota in quotas)))


def default_jobs() -> int:
    """Return the number of pictures to process at once: one for each core, 2 to 8."""
    return min(max(LEAST_JOBS, available_cpus()), MOST_JOBS)


def memory_limit_bytes(root: Path = CGROUPS, of_self: Path = CGROUP_OF_SELF) -> int | None:
    """Return the lowest memory limit of the process's cgroups, None where there is no limit."""
    files = [folder / "memory.max" for folder in _groups(root, of_self, controller="")]
    of_v1 = _groups(root / "memory", of_self, controller="memory")
    files += [folder / "memory.limit_in_bytes" for folder in of_v1]
    total = psutil.virtual_memory().total
    limits = [int(text) for file in files if (text := _text(file)).isdigit()]
    lowest = min(limits, default=total)  # version 1 writes "no limit" as a huge number
    return lowest if lowest < total else None


def has_int8_instructions(cpuinfo: Path = CPUINFO) -> bool:
    """Return whether every core has int8 dot products (VNNI on x86, DotProd on Arm)."""
    lines = _text(cpuinfo).splitlines()
    cores = [line for line in lines if line.startswith(("flags", "Features"))]
    return bool(cores) and all(DOT_PRODUCTS.intersection(line.split()) for line in cores)


def processor_name(cpuinfo: Path = CPUINFO) -> str:
    """Return the processor's model, its architecture where the system gives no model."""
    for line in _text(cpuinfo).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _affinity() -> int:
    if hasattr(os, "sched_getaffinity"):  # Linux
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _groups(top: Path, of_self: Path, controller: str) -> Iterator[Path]:
    """Yield the process's cgroup folder under ``top`` and those above it.

    ``controller`` names a hierarchy of cgroups version 1; empty means version 2.
    """
    own = None if controller else "/"
    for line in _text(of_self).splitlines():
        number, names, path = line.split(":", 2)
        if controller in names.split(",") if controller else number == "0":
            own = path
    if own is not None:
        folder = top / own.lstrip("/")
        yield from (above for above in (folder, *folder.parents) if above.is_relative_to(top))


def _quota_v2(folder: Path) -> float:
    quota, _, period = _text(folder / "cpu.max").partition(" ")
    return _cores(quota, period)


def _quota_v1(folder: Path) -> float:
    return _cores(_text(folder / "cpu.cfs_quota_us"), _text(folder / "cpu.cfs_period_us"))


def _cores(quota: str, period: str) -> float:
    """Divide two numbers of microseconds; "max" and "-1" mean that there is no limit."""
    return int(quota) / int(period) if quota.isdigit() and period.isdigit() else UNLIMITED


def _text(path: Path) -> str:
    try:
        return os.fsdecode(path.read_bytes()).strip()  # a cgroup's name may be in any encoding
    except OSError:
        return ""
