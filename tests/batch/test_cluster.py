"""A batch on a Dask cluster, of two workers on this machine, and on file systems of fsspec."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from bgremove.batch.plan import plan
from bgremove.batch.records import FATAL, Job, Status
from bgremove.cli import main
from bgremove.commands.engines import _client
from bgremove.options import Options
from bgremove.settings import Settings
from tests.support.http import free_port
from tests.support.tiny import ball, encoded, tiny_weights

REMOVE = [str(Path(sys.executable).with_name("bgremove")), "remove"]
BOUND_S = 120  # of one run, far above the 5 s that it takes
Told = dict[str, Any]

fsspec = pytest.importorskip("fsspec", reason="the extra `dask` is not installed")
distributed = pytest.importorskip("distributed", reason="the extra `dask` is not installed")

from bgremove.batch.cluster import cut_out, remover_of  # noqa: E402


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
class Running:
    address: str
    workers: list[subprocess.Popen[bytes]]
    log: Path


@pytest.fixture
def cluster(weights: Path, tmp_path: Path) -> Iterator[Running]:
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
    yield Running(address, running[1:], log)
    for process in reversed(running):  # told to stop, a worker sometimes waits for a task for ever
        process.kill()
        process.wait(BOUND_S)


def run(source: Path, target: Path, *options: str, **env: str) -> tuple[int, list[Told], str]:
    ran = subprocess.run(
        [*REMOVE, str(source), "-o", str(target), "--json", "--engine", "dask", *options],
        env=os.environ | env,
        capture_output=True,
        text=True,
        timeout=BOUND_S,
        check=False,
    )
    return ran.returncode, [json.loads(line) for line in ran.stdout.splitlines()], ran.stderr


def wait_for_workers(cluster: Running) -> None:
    with distributed.Client(cluster.address, timeout=BOUND_S) as client:
        client.wait_for_workers(2, timeout=BOUND_S)


def files_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


WRITTEN = {*(f"{number}.png" for number in range(12)), "sub/0.png"}


def test_two_workers_share_a_folder_and_each_loads_the_model_once(
    cluster: Running, photos: Path, tmp_path: Path
) -> None:
    wait_for_workers(cluster)
    code, told, said = run(photos, tmp_path / "out", "--scheduler", cluster.address)
    assert code == 1, said
    assert "13 done, 1 failed" in said
    (failed,) = [line for line in told if line["code"] is not None]
    assert failed["input"].endswith("sub/bad.png")
    assert failed["code"] == "VALIDATION_ERROR"
    assert cluster.log.read_text().count("model loaded") == 2
    assert files_below(tmp_path / "out") == WRITTEN


def test_the_pictures_of_a_worker_that_dies_are_done_by_another(
    cluster: Running, photos: Path, tmp_path: Path
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


def _kill_once_at_work(cluster: Running) -> None:
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
    done = [line["output"] for line in told if line["status"] == "done"]
    assert (code, done) == (0, [str(out / "3.png")])
    assert "1 done, 12 skipped" in said


def test_ctrl_c_finishes_what_is_handed_out(weights: Path, photos: Path, tmp_path: Path) -> None:
    """A terminal sends it to every process of the command, the workers included."""
    env = os.environ | {"BGREMOVE_WEIGHTS_DIR": str(weights)}
    command = [*REMOVE, str(photos), "-o", str(tmp_path / "out"), "--json", "--engine", "dask"]
    with subprocess.Popen(
        [*command, "-j", "1"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as running:
        assert running.stdout is not None
        told = [running.stdout.readline()]
        os.killpg(running.pid, signal.SIGINT)
        rest, said = running.communicate(timeout=BOUND_S)
    told += rest.splitlines()
    assert running.returncode == 130, said
    assert 1 <= len(told) < 14
    assert all(json.loads(line)["status"] == "done" for line in told)
    assert "not started" in said


def test_a_store_without_folders_works_alike(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(weights))
    monkeypatch.setenv("BGREMOVE_PLACES", "1")
    store = fsspec.filesystem("memory")
    for name in ("a.jpg", "a.png", "sub/b.png", "notes.txt"):
        store.pipe_file(f"/in/{name}", encoded(ball()))
    jobs = plan(["memory://in"], "memory://out", Options()).jobs
    assert [job.is_finished for job in jobs] == [False] * 3
    for job in jobs:
        assert cut_out(job, Options()).status is Status.DONE
    assert store.find("/out") == ["/out/a.jpg.png", "/out/a.png.png", "/out/sub/b.png"]
    assert store.cat_file("/out/sub/b.png").startswith(b"\x89PNG")
    assert all(job.is_finished for job in plan(["memory://in"], "memory://out", Options()).jobs)
    store.pipe_file("/out/sub/b.png", b"")  # half-written by something else
    assert [job.is_finished for job in plan(["memory://in"], "memory://out", Options()).jobs] == [
        True,
        True,
        False,
    ]
    remover_of(Settings.from_env(os.environ), Options()).close()
    remover_of.cache_clear()


def test_a_worker_without_weights_ends_the_batch(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(tmp_path))
    outcome = cut_out(Job("memory://in/a.jpg", "memory://out/a.png"), Options())
    assert outcome.record.code in FATAL
    assert "u2net.onnx is not in" in str(outcome.record.message)
    code, told, said = run(photos, tmp_path / "out", "-j", "1", BGREMOVE_WEIGHTS_DIR=str(tmp_path))
    assert code == 1
    assert {line["code"] for line in told} == {"NOT_READY"}
    assert len(told) < 14
    assert "not started" in said


def test_a_cluster_that_does_not_answer_is_named() -> None:
    nobody = f"tcp://127.0.0.1:{free_port()}"
    with pytest.raises(click.ClickException, match=nobody), _client(nobody, None, connect_s=1):
        pass


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (["-o", "out", "--scheduler", "tcp://h:1"], "--scheduler needs --engine dask"),
        (
            ["-o", "out", "--engine", "dask", "--watch"],
            "cannot be combined with",
        ),
        (
            ["-o", "out", "--engine", "dask", "--scheduler", "tcp://h:1", "-j", "2"],
            "--jobs starts workers",
        ),
        (["-o", "-", "--engine", "dask"], "not -"),
        (["-o", "memory://out", "--engine", "dask"], "no pictures in"),
        (["-o", "nonsense://out", "--engine", "dask"], "nonsense"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_done(
    options: list[str], fault: str, tmp_path: Path
) -> None:
    ran = CliRunner().invoke(main, ["remove", str(tmp_path), *options])
    assert (ran.exit_code, fault in ran.output) == (2, True), ran.output
