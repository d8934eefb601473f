"""Two workers of a real gunicorn: their counts are one, and outlive them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.metrics import Samples, scraped
from harness.processes import children
from tests.support.http import Server, WireDoor, file, form, gunicorn, post
from tests.support.tiny import ball, encoded, tiny_weights

GOOD = form(file("image", encoded(ball())))
REPLACED_S = 60.0  # bound of waiting for a new worker


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    folder = tmp_path / "weights"
    folder.mkdir()
    return {
        "BGREMOVE_WEIGHTS_DIR": str(tiny_weights(folder)),
        "WEB_CONCURRENCY": "2",
        "PROMETHEUS_MULTIPROC_DIR": str(tmp_path / "counts"),
    }


@pytest.fixture
def server(settings: dict[str, str], tmp_path: Path) -> Iterator[Server]:
    with gunicorn(tmp_path, settings) as server:
        until(server.door, "workers_ready", 2)
        yield server


def until(door: WireDoor, name: str, wanted: float) -> Samples:
    """Scrape until a metric, summed over its labels, is what is wanted."""
    end = time.monotonic() + REPLACED_S
    while (found := scraped(door)).total(name) != wanted:
        assert time.monotonic() < end, found.total(name)
        time.sleep(0.05)
    return found


def counting(tmp_path: Path) -> set[int]:
    """Return the ids of the processes that have a file of counters."""
    names = (file.stem.partition("_")[2] for file in (tmp_path / "counts").glob("counter_*.db"))
    return {int(name) for name in names if name != "ended"}


def ask_until_both_have_counted(server: Server, tmp_path: Path) -> int:
    """Post pictures until every worker has answered one; return how many were posted."""
    with ThreadPoolExecutor(4) as clients:
        for posted in range(12, 200, 12):
            answers = list(clients.map(lambda _: post(server.door, GOOD), range(12)))
            assert {answer.status for answer in answers} == {200}
            files = [tmp_path / "counts" / f"histogram_{pid}.db" for pid in counting(tmp_path)]
            if len(files) == 2 and all(b'"stage": "encode"' in file.read_bytes() for file in files):
                return posted
    raise AssertionError("one worker answered everything")


def test_counts_of_two_workers_add_up_and_limits_too(server: Server, tmp_path: Path) -> None:
    posted = ask_until_both_have_counted(server, tmp_path)
    for _ in range(4):  # whichever worker answers
        found = scraped(server.door)
        assert found.total("requests_total", status="200") == posted
        assert found.total("request_duration_seconds_count") == posted
        assert found.of("stage_duration_seconds_count", stage="encode") == posted
        assert found.of("workers") == 2
        assert (found.of("places_limit"), found.of("queue_limit")) == (4, 32)
        assert (found.of("places_in_use"), found.of("queue_length")) == (0, 0)
        assert found.of("processes", process="master") == 1
        assert found.of("processes", process="worker") == 2
        assert 2 <= found.of("processes", process="decoder") <= 4  # a second where one was busy
        assert found.of("deadline_seconds") == 20


def test_a_killed_workers_counts_stay_and_its_gauges_go(server: Server, tmp_path: Path) -> None:
    posted = ask_until_both_have_counted(server, tmp_path)
    before = counting(tmp_path)
    for killed in sorted(before):
        os.kill(killed, signal.SIGKILL)
        end = time.monotonic() + REPLACED_S
        while killed in counting(tmp_path):
            assert time.monotonic() < end
            time.sleep(0.05)
        found = until(server.door, "workers", 2)
        assert found.total("requests_total", status="200") == posted
        assert found.of("stage_duration_seconds_count", stage="encode") == posted
    assert not before & counting(tmp_path)
    until(server.door, "workers_ready", 2)
    assert not list((tmp_path / "counts").glob(f"*_{min(before)}.db"))
    post(server.door, GOOD)
    assert scraped(server.door).total("requests_total", status="200") == posted + 1


def test_a_reload_keeps_the_counts_and_leaves_no_files_behind(
    server: Server, tmp_path: Path
) -> None:
    posted = ask_until_both_have_counted(server, tmp_path)
    before = set(children(server.process.pid))
    server.process.send_signal(signal.SIGHUP)
    end = time.monotonic() + REPLACED_S
    while before & counting(tmp_path) or len(counting(tmp_path)) != 2:
        assert time.monotonic() < end
        time.sleep(0.05)
    found = until(server.door, "workers_ready", 2)
    assert found.total("requests_total", status="200") == posted
    kinds = {file.name.rpartition("_")[0] for file in (tmp_path / "counts").glob("*.db")}
    assert len(list((tmp_path / "counts").glob("*.db"))) == 2 * len(kinds) + 2  # two sums


def test_a_private_folder_is_made_and_removed(settings: dict[str, str], tmp_path: Path) -> None:
    del settings["PROMETHEUS_MULTIPROC_DIR"]
    with gunicorn(tmp_path, settings) as server:
        worker = children(server.process.pid)[0]
        maps = Path(f"/proc/{worker}/maps").read_text("utf-8")
        (folder,) = {
            line.split()[-1].rpartition("/")[0]
            for line in maps.splitlines()
            if "bgremove-metrics-" in line
        }
        assert Path(folder).is_dir()
        server.door.send("GET", "/nothing")
        assert scraped(server.door).of("errors_total", code="NOT_FOUND") == 1
        assert server.stop() == 0
    assert not Path(folder).exists()
    assert not [line for line in server.lines() if line["level"] in {"ERROR", "CRITICAL"}]


def test_switched_off_nothing_is_made_and_nothing_imported(
    settings: dict[str, str], tmp_path: Path
) -> None:
    with gunicorn(tmp_path, settings | {"BGREMOVE_METRICS": "0"}) as server:
        assert server.door.send("GET", "/metrics").status == 404
    assert not (tmp_path / "counts").exists()
