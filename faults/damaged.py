"""Weights that are missing or damaged at the start, and repaired while the server runs."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults.clients import ask
from faults.finding import Finding
from faults.stand import SMALL, Ground, is_ready, stand, worker_of
from harness.waiting import until

NAMES = ("u2net.onnx", "u2net.int8.onnx")  # whichever precision this machine runs
FLIPPED = 4096  # bytes


def cut(path: Path) -> None:
    """Truncate a file to its first half."""
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def flip(path: Path) -> None:
    """Invert 4 kB in the middle: such a file loads, and its outputs are NaN."""
    with path.open("r+b") as file:
        file.seek(path.stat().st_size // 2)
        block = file.read(FLIPPED)
        file.seek(-FLIPPED, 1)
        file.write(bytes(255 - byte for byte in block))


DAMAGE: dict[str, Callable[[Path], object]] = {
    "missing": Path.unlink,
    "empty": lambda path: path.write_bytes(b""),
    "cut to half": cut,
    "4 kB flipped in the middle": flip,
}
REASON = {"missing": "absent", "4 kB flipped in the middle": "SHA-256"}


def damaged_weights(ground: Ground) -> Iterator[Finding]:
    """Damage weights: not ready, with a reason and 502s; once repaired, ready without a restart."""
    names = list(DAMAGE) if ground.strict else list(REASON)
    with ThreadPoolExecutor(len(names)) as together:  # each checks its files every ten seconds
        yield from together.map(lambda name: _damaged(ground, name), names)


def _damaged(ground: Ground, name: str) -> Finding:
    found = Finding(f"weights {name} at the start, then repaired", "all until the repair: 502")
    folder = _copy(ground)
    for file in NAMES:
        DAMAGE[name](folder / file)
    settings = {"BGREMOVE_WEIGHTS_DIR": str(folder)}
    with stand(ground, 1, settings, wait_for="/livez") as on:
        server = on.servers[0]
        worker = worker_of(server)
        reason = REASON.get(name, "bytes")
        took_s = until(lambda: reason in _text(server.door.send("GET", "/readyz").body))
        for _ in range(ground.times):
            found.saw([ask(on.edge.door, SMALL)], expected={"502 UPSTREAM_ERROR"})
            found.expect(not is_ready(server), "it says that it is ready")
        found.note(f"/readyz answered “{reason}” after {took_s:.1f} s")
        for file in NAMES:
            repaired = folder / f"{file}.part"
            repaired.symlink_to((ground.weights / file).resolve())
            repaired.replace(folder / file)
        started = time.monotonic()
        until(lambda: is_ready(server))
        found.note(f"ready {time.monotonic() - started:.1f} s after the repair")
        found.saw([ask(on.edge.door, SMALL)])
        found.expect(worker_of(server) == worker, "the worker is another")
    found.at_most_lost(0)
    shutil.rmtree(folder)
    return found


def _text(body: bytes) -> str:
    return body.decode("utf-8")


def _copy(ground: Ground) -> Path:
    folder = ground.new("weights")
    for path in ground.weights.iterdir():
        if path.name in (*NAMES, "manifest.toml") or path.suffix == ".sha256":
            shutil.copy(path, folder)
    return folder
