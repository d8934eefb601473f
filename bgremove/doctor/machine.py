"""What this machine has: cores, instructions, memory, libraries, programs."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bgremove.inference.cpus import available_cpus
from bgremove.inference.precision import CPUINFO, has_int8_instructions

MIB = 1024 * 1024
NEEDED = ("onnxruntime", "opencv-python-headless", "numpy", "flask", "gunicorn", "isal")
EXTRAS = {
    "distributed": "dask",
    "fsspec": "dask",
    "onnx": "weights",
    "tqdm": "cli",
    "urllib3": "cli",
    "watchdog": "cli",
}
# Another build of ONNX Runtime brings the same module under another name.
BUILDS = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino")
CGROUPS = Path("/sys/fs/cgroup")
OF_SELF = Path("/proc/self/cgroup")


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts; memory in MiB. ``memory_limit_mib`` is the cgroup's, None where it has none.

    ``libraries``: a version, or None for what is not installed.
    """

    processor: str
    cores: int
    cores_allowed: int
    int8_instructions: bool
    memory_mib: int
    memory_available_mib: int
    memory_limit_mib: int | None
    python: str
    libraries: dict[str, str | None]
    nginx: str | None


def look_at_machine() -> Machine:
    """Return what this machine has, as far as this process may use it."""
    memory = _meminfo()
    return Machine(
        processor=_processor(),
        cores=os.cpu_count() or 1,
        cores_allowed=available_cpus(),
        int8_instructions=has_int8_instructions(),
        memory_mib=memory["MemTotal"],
        memory_available_mib=memory["MemAvailable"],
        memory_limit_mib=memory_limit_mib(),
        python=platform.python_version(),
        libraries=_libraries(),
        nginx=_nginx(),
    )


def memory_limit_mib(root: Path = CGROUPS, of_self: Path = OF_SELF) -> int | None:
    """Return the lowest memory limit of the cgroups this process is in, in MiB; None: no limit."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    limits = [int(text) for file in _limit_files(root, of_self) if (text := _text(file)).isdigit()]
    lowest = min(limits, default=total)  # version 1 says "no limit" with a huge number
    return lowest // MIB if lowest < total else None


def _limit_files(root: Path, of_self: Path) -> list[Path]:
    """Return the files of both versions of cgroups, from the process's own folder up."""
    files = []
    for line in _text(of_self).splitlines():
        number, names, own = line.split(":", 2)
        if number == "0":
            top, file = root, "memory.max"
        elif "memory" in names.split(","):
            top, file = root / "memory", "memory.limit_in_bytes"
        else:
            continue
        folder = top / own.lstrip("/")
        files += [above / file for above in (folder, *folder.parents) if above.is_relative_to(top)]
    return files


def _meminfo() -> dict[str, int]:
    lines = (line.split() for line in _text(Path("/proc/meminfo")).splitlines())
    return {line[0].rstrip(":"): int(line[1]) // 1024 for line in lines}


def _processor() -> str:
    for line in _text(CPUINFO).splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _libraries() -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name in (*NEEDED, *EXTRAS):
        builds = BUILDS if name == "onnxruntime" else (name,)
        found[name] = next(filter(None, map(_version, builds)), None)
    return found


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _nginx() -> str | None:
    """Return nginx's version, None where it is not on the path."""
    program = shutil.which("nginx", path=os.defpath + ":/usr/sbin:/usr/local/sbin:/sbin")
    if program is None:
        return None
    try:
        said = subprocess.run(  # noqa: S603 - the program that was found, asked for its version
            [program, "-v"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return said.stderr.strip().rpartition("/")[2] or None


def _text(path: Path) -> str:
    try:
        return os.fsdecode(path.read_bytes()).strip()
    except OSError:
        return ""
