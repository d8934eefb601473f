"""Folders that fill up or vanish, and files that break: the service goes on."""

from __future__ import annotations

import os
import shutil
import signal
import time
from pathlib import Path

import pytest

from harness.processes import children
from harness.programs import ServerError
from tests.support.disks import fill, small_disk
from tests.support.http import Server, file, form, gunicorn, post
from tests.support.tiny import ball, encoded, tiny_weights

GOOD = form(file("image", encoded(ball())))
REPLACED_S = 60.0  # bound of waiting for a new worker


def answer_of_another_worker(server: Server, old: int) -> int:
    """Post a picture once another worker has taken over; return the status."""
    end = time.monotonic() + REPLACED_S
    while old in (now := children(server.process.pid)) or not now:
        assert time.monotonic() < end, "no other worker"
        assert server.process.poll() is None, "the master has ended"
        time.sleep(0.05)
    while post(server.door, GOOD).status != 200:
        assert time.monotonic() < end, "no picture is answered"
        time.sleep(0.1)
    assert server.process.poll() is None
    return 200


def settings(tmp_path: Path) -> tuple[dict[str, str], Path, Path]:
    """Return the environment of a server, its weights and its folder of counts."""
    weights, counts = tmp_path / "weights", tmp_path / "counts"
    weights.mkdir()
    counts.mkdir()
    environment = {
        "BGREMOVE_WEIGHTS_DIR": str(tiny_weights(weights)),
        "PROMETHEUS_MULTIPROC_DIR": str(counts),
    }
    return environment, weights, counts


def test_a_full_file_system_for_counts_stops_nothing(tmp_path: Path) -> None:
    environment, _, counts = settings(tmp_path)
    with small_disk(counts, 512), gunicorn(tmp_path, environment) as server:
        fill(counts)
        (worker,) = children(server.process.pid)
        assert post(server.door, GOOD).status == 200
        os.kill(worker, signal.SIGKILL)  # its counts are added up, and its successor starts
        assert answer_of_another_worker(server, worker) == 200
        assert server.door.send("GET", "/metrics").status == 200
        assert server.stop() == 0


def test_a_folder_of_counts_that_is_gone_is_made_again(tmp_path: Path) -> None:
    environment, _, counts = settings(tmp_path)
    with gunicorn(tmp_path, environment) as server:
        (worker,) = children(server.process.pid)
        shutil.rmtree(counts)
        os.kill(server.process.pid, signal.SIGHUP)
        assert answer_of_another_worker(server, worker) == 200
        assert list(counts.glob("counter_*.db"))
        assert server.stop() == 0


def test_a_manifest_that_breaks_is_not_missed(tmp_path: Path) -> None:
    environment, weights, _ = settings(tmp_path)
    with gunicorn(tmp_path, environment) as server:
        (worker,) = children(server.process.pid)
        (weights / "manifest.toml").write_text("no = manifest", encoding="utf-8")
        os.kill(worker, signal.SIGKILL)
        assert answer_of_another_worker(server, worker) == 200
        messages = [line.get("message") for line in server.lines()]
        assert "the last good manifest stays in force" in messages
        assert server.stop() == 0


LIMITED = """
import os
from pathlib import Path
from bgremove.gunicorn_conf import *

fork = os.fork


def limited_fork():
    if Path(__file__).with_name("limited").exists():
        raise BlockingIOError(11, "Resource temporarily unavailable")
    return fork()


os.fork = limited_fork
"""


@pytest.mark.parametrize("sent", [signal.SIGHUP, signal.SIGKILL])
def test_a_limit_of_processes_does_not_end_a_service_that_ran(
    tmp_path: Path, sent: signal.Signals
) -> None:
    environment, _, _ = settings(tmp_path)
    config, limited = tmp_path / "limited_conf.py", tmp_path / "limited"
    config.write_text(LIMITED, encoding="utf-8")
    with gunicorn(tmp_path, environment, config=str(config)) as server:
        (worker,) = children(server.process.pid)
        limited.touch()
        os.kill(server.process.pid if sent == signal.SIGHUP else worker, sent)
        end = time.monotonic() + REPLACED_S
        while "a worker cannot be started" not in server.log.read_text("utf-8"):
            assert server.process.poll() is None, "the master has ended"
            assert time.monotonic() < end
            time.sleep(0.1)
        if sent == signal.SIGHUP:
            assert post(server.door, GOOD).status == 200
            assert "reload again" in server.log.read_text("utf-8")
            limited.unlink()
            os.kill(server.process.pid, signal.SIGHUP)
        else:
            limited.unlink()
        assert answer_of_another_worker(server, worker) == 200
        assert server.stop() == 0


FLAKY = """
from pathlib import Path
from wsgi import app
assert app
if Path(__file__).with_name("broken").exists():
    raise RuntimeError("cannot start")
"""


def test_workers_that_cannot_start_do_not_end_a_service_that_ran(tmp_path: Path) -> None:
    environment, _, _ = settings(tmp_path)
    (tmp_path / "flaky.py").write_text(FLAKY, encoding="utf-8")
    environment["PYTHONPATH"] = str(tmp_path)
    broken = tmp_path / "broken"
    with gunicorn(tmp_path, environment, application="flaky:app") as server:
        (worker,) = children(server.process.pid)
        broken.touch()
        os.kill(worker, signal.SIGKILL)
        end = time.monotonic() + REPLACED_S
        while "a worker cannot start" not in server.log.read_text("utf-8"):
            assert server.process.poll() is None, "the master has ended"
            assert time.monotonic() < end
            time.sleep(0.1)
        broken.unlink()
        assert answer_of_another_worker(server, worker) == 200
        assert server.stop() == 0


def test_a_service_whose_first_worker_cannot_start_ends(tmp_path: Path) -> None:
    environment, _, _ = settings(tmp_path)
    (tmp_path / "flaky.py").write_text(FLAKY, encoding="utf-8")
    (tmp_path / "broken").touch()
    environment["PYTHONPATH"] = str(tmp_path)
    with (
        pytest.raises(ServerError),
        gunicorn(tmp_path, environment, application="flaky:app"),
    ):
        pass
    assert "cannot start" in (tmp_path / "gunicorn.log").read_text("utf-8")
