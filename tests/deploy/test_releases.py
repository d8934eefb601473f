"""A release has a folder of its own, as docs/deployment.md says: what runs stays with its own."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

from harness.processes import children
from tests.support.http import ROOT, Server, file, form, gunicorn, post
from tests.support.tiny import ball, encoded, tiny_weights

GOOD = form(file("image", encoded(ball())))
SOON_S = 60.0  # bound of waiting for a new worker


def release(folder: Path, version: str) -> Path:
    """Copy what a release runs from; what a worker imports anew says which one it is."""
    shutil.copytree(ROOT / "bgremove", folder / "bgremove")
    shutil.copytree(ROOT / "deploy", folder / "deploy")
    known_by = f"import bgremove\nbgremove.__version__ = {version!r}\n"
    (folder / "wsgi.py").write_text(known_by + (ROOT / "wsgi.py").read_text("utf-8"), "utf-8")
    (folder / "weights").mkdir()
    tiny_weights(folder / "weights")
    return folder


def version_of(server: Server) -> str:
    version: str = server.door.send("GET", "/version").json()["version"]
    return version


def replace_worker(server: Server) -> None:
    """Kill the worker, and wait until the next one is ready."""
    (old,) = children(server.process.pid)
    os.kill(old, signal.SIGKILL)
    end = time.monotonic() + SOON_S
    while {old} & set(workers := children(server.process.pid)) or not workers:
        assert time.monotonic() < end
        time.sleep(0.05)
    while server.door.send("GET", "/readyz").status != 200:
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_process_stays_with_its_release_until_it_is_restarted(tmp_path: Path) -> None:
    """Its new workers and their decoders too, which are started from what is on the disk."""
    first, second = (release(tmp_path / version, version) for version in ("1.0.0", "2.0.0"))
    current = tmp_path / "current"
    current.symlink_to(first)
    with gunicorn(tmp_path, started_in=current) as server:
        (tmp_path / "next").symlink_to(second)
        (tmp_path / "next").replace(current)
        replace_worker(server)
        assert version_of(server) == "1.0.0"
        (worker,) = children(server.process.pid)
        for decoder in children(worker):
            assert f"PYTHONPATH={first}".encode() in Path(f"/proc/{decoder}/environ").read_bytes()
        assert post(server.door, GOOD).status == 200
    with gunicorn(tmp_path, started_in=current) as server:
        assert version_of(server) == "2.0.0"
