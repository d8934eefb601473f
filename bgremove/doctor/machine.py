"""Facts about this machine for the doctor: cores, memory, libraries, programs."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

import psutil

from bgremove import sandbox
from bgremove.machine import (
    available_cpus,
    has_int8_instructions,
    memory_limit_bytes,
    processor_name,
)

MIB = 1024 * 1024
NEEDED = (
    "onnxruntime",
    "opencv-python-headless",
    "numpy",
    "flask",
    "gunicorn",
    "isal",
    "tqdm",
    "urllib3",
    "watchdog",
)
EXTRAS = {"distributed": "dask", "fsspec": "dask"}  # optional, each with the extra that adds it
# Another build of ONNX Runtime brings the same module under another name.
BUILDS = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-openvino")


@dataclass(frozen=True, slots=True)
class Machine:
    """Facts; memory in MiB. ``memory_limit_mib`` is the cgroup's limit, None without one.

    ``libraries``: a version, or None for a library that is not installed. ``sandbox_lacks``: a
    sentence for each sandbox layer of the decoders that this system does not support.
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
    sandbox_lacks: tuple[str, ...] = ()


def look_at_machine() -> Machine:
    """Return the facts of this machine, within the limits of this process."""
    memory = psutil.virtual_memory()
    limit = memory_limit_bytes()
    return Machine(
        processor=processor_name(),
        cores=os.cpu_count() or 1,
        cores_allowed=available_cpus(),
        int8_instructions=has_int8_instructions(),
        memory_mib=memory.total // MIB,
        memory_available_mib=memory.available // MIB,
        memory_limit_mib=None if limit is None else limit // MIB,
        python=platform.python_version(),
        libraries=_libraries(),
        nginx=_nginx(),
        sandbox_lacks=sandbox.lacking(),
    )


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
    """Return nginx's version, None if it is not on the path."""
    program = shutil.which("nginx", path=os.defpath + ":/usr/sbin:/usr/local/sbin:/sbin")
    if program is None:
        return None
    try:
        done = subprocess.run(  # noqa: S603 - the program that was found, asked for its version
            [program, "-v"], capture_output=True, text=True, timeout=10, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stderr.strip().rpartition("/")[2] or None
