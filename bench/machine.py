"""The machine of a run: its processor, system and software versions."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

FLAGS = ("avx2", "fma", "avx_vnni", "avx512f", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16")
OURS = ("bgremove", "flask", "gunicorn", "onnxruntime", "opencv-python-headless", "numpy", "isal")
THEIRS = ("rembg", "fastapi", "uvicorn", "onnxruntime", "pillow", "numpy")
GIB = 1024**3


def facts(rembg_venv: Path | None) -> dict[str, str]:
    """Return the facts that accompany the figures, as text."""
    cpu = parse_cpuinfo(Path("/proc/cpuinfo").read_text(encoding="utf-8"))
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / GIB
    found = {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "processor": cpu["model name"],
        "cores": f"{len(os.sched_getaffinity(0))} of {os.cpu_count()}",
        "instructions": " ".join(flag for flag in FLAGS if flag in cpu["flags"].split()) or "none",
        "memory": f"{memory:.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "bgremove": ", ".join(f"{name} {version(name)}" for name in OURS),
    }
    settings = sorted(name for name in os.environ if name.startswith("BGREMOVE_"))
    if settings:
        found["settings"] = " ".join(f"{name}={os.environ[name]}" for name in settings)
    if rembg_venv is not None:
        found["rembg"] = _versions_in(rembg_venv)
    return found


def parse_cpuinfo(text: str) -> dict[str, str]:
    """Return the model name and the flags of the first core; Arm calls its flags Features."""
    found = {"model name": platform.machine(), "flags": ""}
    for line in reversed(text.splitlines()):
        key, _, value = line.partition(":")
        key = {"Features": "flags"}.get(key.strip(), key.strip())
        if key in found:
            found[key] = value.strip()
    return found


def _versions_in(venv: Path) -> str:
    code = (
        "import json,sys,platform;from importlib.metadata import version as v;"
        "print(json.dumps([platform.python_version(),*[n+' '+v(n) for n in sys.argv[1:]]]))"
    )
    ran = subprocess.run(  # noqa: S603 - the environment that the caller named
        [str(venv.resolve() / "bin" / "python"), "-c", code, *THEIRS],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    python, *packages = json.loads(ran.stdout)
    return ", ".join([*packages, f"Python {python}"])


if __name__ == "__main__":
    print(json.dumps(facts(Path(sys.argv[1]) if len(sys.argv) > 1 else None), indent=2))
