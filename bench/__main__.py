"""Measure the server over real HTTP, compared with rembg's own: `make bench`.

Writes a table and a plot into docs/ (a quick run: into build/bench/) and all figures into
build/bench/result.json.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import shutil
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.machine import facts
from bench.phases import FULL, GENERATED, QUICK, Phases
from bench.recorder import Recorder, Workload
from bench.servers import Target, bgremove, rembg
from harness.programs import ROOT

BUILD = ROOT / "build" / "bench"
WEIGHTS = ROOT / "weights" / "u2net.onnx"
PRECISIONS = ("int8", "float32")
PHASES = ("footprint", "growth", "load", "workers")
SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif")
MOST_OF_A_FOLDER = 40  # pictures
GENERATED_NOTE = (
    "the pictures are generated from three photographs; real ones take longer, because a second "
    "network is asked where the first is unsure (`make bench PICTURES=FOLDER`)"
)
MAX_BYTES = 10 * 1024 * 1024  # the server's limit


def main() -> None:
    """Measure, or render the last run again."""
    options = _options()
    raw = BUILD / "result.json"
    if options.render is None:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # end the servers on exit
        BUILD.mkdir(parents=True, exist_ok=True)
        _measure(options, raw)
    output = options.output or (BUILD if options.quick else ROOT / "docs")
    # Pictures, comparison and plot are made in separate processes, because they need NumPy.
    print(_python("bench.report", options.render or raw, output), end="")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="2 to 3 minutes instead of 15")
    parser.add_argument("--rembg-venv", type=Path, help="environment that rembg is installed in")
    parser.add_argument("--folder", type=Path, help="photographs to measure with")
    parser.add_argument("--precisions", default=",".join(PRECISIONS), help="default: %(default)s")
    parser.add_argument("--phases", default=",".join(PHASES), help="default: %(default)s")
    parser.add_argument("--output", type=Path, help="where the table and the plot go")
    parser.add_argument("--render", type=Path, help="a result.json: report it, measure nothing")
    options = parser.parse_args()
    options.precisions = options.precisions.split(",")
    options.phases = options.phases.split(",")
    for name, allowed in (("precisions", PRECISIONS), ("phases", PHASES)):
        if unknown := set(getattr(options, name)) - set(allowed):
            parser.error(f"--{name}: {', '.join(sorted(unknown))}; one of {', '.join(allowed)}")
    # Report missing programs now, not after a quarter of an hour.
    if options.rembg_venv is not None and not (options.rembg_venv / "bin" / "rembg").exists():
        parser.error(f"--rembg-venv: no rembg in {options.rembg_venv}")
    if importlib.util.find_spec("matplotlib") is None:
        parser.error("matplotlib is missing; `make bench` installs it")
    return options


def _measure(options: argparse.Namespace, raw: Path) -> None:
    """Run the phases; results are kept even where a phase fails or is interrupted."""
    machine = facts(options.rembg_venv)
    made = _generated()
    pictures = {one["name"]: (BUILD / "pictures" / one["file"]).read_bytes() for one in made}
    own = _folder(options.folder) if options.folder else {}
    shutil.rmtree(BUILD / "answers", ignore_errors=True)
    recorder = Recorder(pictures | own, BUILD / "logs", BUILD / "answers")
    if options.rembg_venv is None:
        recorder.note("rembg left out: no --rembg-venv was given")
    if own:
        recorder.note(f"the pictures are {len(own)} photographs of a folder that was given")
    else:
        recorder.note(GENERATED_NOTE)
    mix = Workload("mix", tuple(own)) if own else GENERATED
    phases = Phases(recorder, QUICK if options.quick else FULL, _targets(options), mix)
    try:
        for phase in options.phases:
            getattr(phases, phase)()
    except BaseException as fault:
        recorder.note(f"ended early: {type(fault).__name__}")
        raise
    finally:
        result = {
            "machine": machine,
            "quick": options.quick,
            "seconds": round(recorder.elapsed_s),
            "pictures": made,
            "starts": [asdict(one) for one in recorder.starts],
            "footprints": [asdict(one) for one in recorder.footprints],
            "rounds": [asdict(one) for one in recorder.rounds],
            "answers": json.loads(_python("bench.answers", recorder.answers)),
            "notes": recorder.notes,
        }
        raw.write_text(json.dumps(result), encoding="utf-8")


def _targets(options: argparse.Namespace) -> list[Target]:
    targets = [bgremove(precision) for precision in options.precisions]
    if options.rembg_venv is not None:
        targets.insert(1, rembg(options.rembg_venv, BUILD / "rembg-home", WEIGHTS))
    return targets


def _generated() -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = json.loads(_python("bench.pictures", BUILD / "pictures"))
    return made


def _python(module: str, *arguments: Path) -> str:
    """Run a module in its own process and return its output."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    run = subprocess.run(command, check=True, cwd=ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603
    return run.stdout


def _folder(folder: Path) -> dict[str, bytes]:
    """Read a folder's first pictures under anonymous names."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    fitting = [path for path in files if path.stat().st_size <= MAX_BYTES][:MOST_OF_A_FOLDER]
    if not fitting:
        raise SystemExit(f"{folder}: no picture of at most {MAX_BYTES} bytes")
    return {f"own-{index}": path.read_bytes() for index, path in enumerate(fitting, 1)}


if __name__ == "__main__":
    main()
