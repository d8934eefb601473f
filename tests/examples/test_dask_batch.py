"""The recipe for many machines, on two workers of this one, and on file systems of fsspec."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from bgremove.batch.local import LocalRemover
from bgremove.batch.records import Wanted
from bgremove.settings import Settings
from tests.support.http import free_port
from tests.support.tiny import ball, encoded, tiny_weights

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "dask_batch.py"
BOUND_S = 120  # of one run, far above the 5 s that it takes
Told = dict[str, Any]

fsspec = pytest.importorskip("fsspec", reason="the extra `dask` is not installed")
distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    (folder / "sub").mkdir(parents=True)
    for number in range(12):
        (folder / f"{number}.jpg").write_bytes(encoded(ball(96 + number), ".jpg"))
    (folder / "sub" / "0.png").write_bytes(encoded(ball()))
    (folder / "sub" / "bad.png").write_bytes(b"no picture")
    return folder


@dataclass(frozen=True)
class Cluster:
    address: str
    workers: list[subprocess.Popen[bytes]]
    log: Path


@pytest.fixture
def cluster(weights: Path, tmp_path: Path) -> Iterator[Cluster]:
    """Run a scheduler and two workers, as docs/batch.md has them."""
    address, log = f"tcp://127.0.0.1:{free_port()}", tmp_path / "log"
    loud = {"DASK_DISTRIBUTED__LOGGING__BGREMOVE": "info"}
    env = os.environ | loud | {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_THREADS": "1"}
    dask = [sys.executable, "-m", "dask"]
    worker = [*dask, "worker", address, "--no-nanny", "--no-dashboard", "--nthreads", "2"]
    commands = [[*dask, "scheduler", "--host", address, "--no-dashboard"], worker, worker]
    with log.open("wb") as output:
        running = [
            subprocess.Popen(command, cwd=tmp_path, env=env, stdout=output, stderr=output)
            for command in commands
        ]
    yield Cluster(address, running[1:], log)
    for process in reversed(running):
        process.terminate()
    for process in running:
        process.wait(BOUND_S)


def run(source: Path, target: Path, *options: str, **env: str) -> tuple[int, list[Told], str]:
    ran = subprocess.run(
        [sys.executable, SCRIPT, str(source), str(target), *options],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        check=False,
    )
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()], ran.stderr


def wait_for_workers(cluster: Cluster) -> None:
    with distributed.Client(cluster.address, timeout=BOUND_S) as client:
        client.wait_for_workers(2, timeout=BOUND_S)


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


WRITTEN = {*(f"{number}.png" for number in range(12)), "sub/0.png"}


def test_two_workers_share_a_folder_and_each_loads_the_model_once(
    cluster: Cluster, photos: Path, tmp_path: Path
) -> None:
    wait_for_workers(cluster)
    code, told, said = run(photos, tmp_path / "out", "--scheduler", cluster.address)
    assert code == 1, said
    assert "13 done, 0 skipped, 1 failed" in said
    (failed,) = [line for line in told if line["code"] is not None]
    assert failed["input"].endswith("sub/bad.png")
    assert failed["code"] == "VALIDATION_ERROR"
    assert {line["worker"] for line in told} == {worker.pid for worker in cluster.workers}
    assert cluster.log.read_text().count("model loaded") == 2
    assert files_below(tmp_path / "out") == WRITTEN


def test_the_pictures_of_a_worker_that_dies_are_done_by_another(
    cluster: Cluster, photos: Path, tmp_path: Path
) -> None:
    wait_for_workers(cluster)
    (photos / "sub" / "bad.png").unlink()
    killer = threading.Timer(0.0, lambda: _kill_once_at_work(cluster))
    killer.start()
    code, told, said = run(photos, tmp_path / "out", "--scheduler", cluster.address)
    killer.join()
    assert cluster.workers[0].poll() is not None
    assert (code, len(told)) == (0, 13), said
    assert files_below(tmp_path / "out") >= WRITTEN


def _kill_once_at_work(cluster: Cluster) -> None:
    end = time.monotonic() + BOUND_S
    while "model loaded" not in cluster.log.read_text() and time.monotonic() < end:
        time.sleep(0.01)
    cluster.workers[0].kill()


def test_without_a_scheduler_it_uses_this_machine_and_goes_on_where_it_was(
    weights: Path, photos: Path, tmp_path: Path
) -> None:
    out, env = tmp_path / "out", {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_THREADS": "1"}
    (photos / "sub" / "bad.png").unlink()
    code, told, said = run(photos, out, **env)
    assert (code, len(told)) == (0, 13), said
    (out / "3.png").unlink()
    code, told, said = run(photos, out, **env)
    assert (code, [line["output"] for line in told]) == (0, [f"file://{out}/3.png"])
    assert "1 done, 12 skipped, 0 failed" in said


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("dask_batch", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_store_without_folders_works_alike(
    example: ModuleType, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(weights))
    monkeypatch.setenv("BGREMOVE_PLACES", "1")
    store = fsspec.filesystem("memory")
    for name in ("a.jpg", "a.png", "sub/b.png", "notes.txt"):
        store.pipe_file(f"/in/{name}", encoded(ball()))
    jobs, skipped = example.plan("memory://in", "memory://out", ".png")
    assert (len(jobs), skipped) == (3, 0)
    for job in jobs:
        assert example.cut_out(job, Wanted())["code"] is None
    assert store.find("/out") == ["/out/a.jpg.png", "/out/a.png.png", "/out/sub/b.png"]
    assert store.cat_file("/out/sub/b.png").startswith(b"\x89PNG")
    assert example.plan("memory://in", "memory://out", ".png") == ([], 3)
    store.pipe_file("/out/sub/b.png", b"")  # half-written by something else
    assert len(example.plan("memory://in", "memory://out", ".png")[0]) == 1
    LocalRemover(Settings(weights_dir=weights, places=1), Wanted()).close()


def test_a_worker_without_weights_is_no_fault_of_its_pictures(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(tmp_path))
    with pytest.raises(Exception, match="u2net: absent"):
        example.cut_out(("memory://in/a.jpg", "memory://out/a.png"), Wanted())
