"""The folder of counts, with real processes that count into it."""

from __future__ import annotations

import fcntl
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from bgremove.api.metrics import folder as folder_module
from bgremove.api.metrics.folder import VARIABLE, Counts, CountsFolder

COUNT = """
from bgremove.api.metrics.recording import Instruments
instruments = Instruments(None)
instruments.upload_bytes.inc(3)
instruments.requests.labels("200", "human", "mask").inc()
instruments.stage.labels("decode").observe(0.02)
instruments.workers.set(1)
instruments.deadline.set(20)
"""


def count_in(folder: Path) -> int:
    """Run a process that counts and ends without a word; return its id."""
    with subprocess.Popen([sys.executable, "-c", COUNT], env={VARIABLE: str(folder)}) as process:
        pass
    assert process.returncode == 0
    return process.pid


def value(folder: Path, name: str, **labels: str) -> float | None:
    registry = CollectorRegistry()
    registry.register(Counts(folder))
    return registry.get_sample_value(f"bgremove_{name}", labels)


def databases(folder: Path) -> set[str]:
    return {file.name for file in folder.glob("*.db")}


def test_counts_of_ended_workers_stay_in_two_files_however_many_there_were(tmp_path: Path) -> None:
    folder = CountsFolder(str(tmp_path), "")
    for ended in range(1, 4):
        pid = count_in(tmp_path)
        assert value(tmp_path, "workers") == 1
        folder.retire(pid)
        assert databases(tmp_path) == {"counter_ended.db", "histogram_ended.db"}
        assert value(tmp_path, "upload_bytes_total") == 3 * ended
        labels = {"status": "200", "subject": "human", "format": "mask"}
        assert value(tmp_path, "requests_total", **labels) == ended
        assert value(tmp_path, "stage_duration_seconds_count", stage="decode") == ended
        assert value(tmp_path, "stage_duration_seconds_sum", stage="decode") == 0.02 * ended
        below = {"stage": "decode", "le": "0.01"}
        assert value(tmp_path, "stage_duration_seconds_bucket", **below) == 0
        within = {"stage": "decode", "le": "0.025"}
        assert value(tmp_path, "stage_duration_seconds_bucket", **within) == ended


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"\xff" * 4096,
        b"\x40\0\0\0\0\0\0\0\4\0\0\0nokey",
        b'\x28\0\0\0\0\0\0\0\7\0\0\0"nokey"'.ljust(40, b"\0"),  # JSON, but no metric
    ],
)
@pytest.mark.parametrize("damaged", ["the worker's", "the sum"])
def test_a_damaged_file_of_counts_is_removed_and_no_error_reaches_the_master(
    tmp_path: Path, damage: bytes, damaged: str
) -> None:
    folder = CountsFolder(str(tmp_path), "")
    folder.retire(count_in(tmp_path))
    pid = count_in(tmp_path)
    name = "counter_ended.db" if damaged == "the sum" else f"counter_{pid}.db"
    (tmp_path / name).write_bytes(damage)
    folder.retire(pid)
    assert databases(tmp_path) == {"counter_ended.db", "histogram_ended.db"}
    assert value(tmp_path, "upload_bytes_total") == 3
    assert value(tmp_path, "stage_duration_seconds_count", stage="decode") == 2


def test_no_exception_of_the_counts_reaches_the_master(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise struct.error

    folder = CountsFolder(str(tmp_path), "")
    monkeypatch.setattr(folder_module, "_add_up", fail)
    folder.retire(count_in(tmp_path))


def test_gauges_of_an_ended_worker_are_gone(tmp_path: Path) -> None:
    folder = CountsFolder(str(tmp_path), "")
    folder.retire(count_in(tmp_path))
    assert value(tmp_path, "workers") is None
    assert value(tmp_path, "deadline_seconds") is None


def test_while_somebody_reads_the_master_does_not_wait_and_nothing_is_lost(tmp_path: Path) -> None:
    folder = CountsFolder(str(tmp_path), "")
    first = count_in(tmp_path)
    with (tmp_path / "lock").open("a") as reader:
        fcntl.flock(reader, fcntl.LOCK_SH)
        folder.retire(first)
        assert f"counter_{first}.db" in databases(tmp_path)
        assert value(tmp_path, "upload_bytes_total") == 3
    folder.retire(count_in(tmp_path))
    assert databases(tmp_path) == {"counter_ended.db", "histogram_ended.db"}
    assert value(tmp_path, "upload_bytes_total") == 6


def test_a_worker_that_never_counted_is_no_fault(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    CountsFolder(str(tmp_path), "").retire(12345)
    assert caplog.records == []
    assert databases(tmp_path) == set()


def test_a_folder_that_is_gone_does_not_stop_the_master(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = CountsFolder(None, str(tmp_path))
    folder.remove()
    folder.retire(12345)
    assert folder.path.is_dir()
    assert caplog.records == []


def test_a_folder_that_cannot_be_made_does_not_stop_the_master(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = CountsFolder(str(tmp_path / "counts"), "")
    folder.path.rmdir()
    folder.path.touch()
    folder.make()
    assert caplog.records.pop().message == "there is no folder for counts"
    caplog.clear()
    folder.retire(12345)
    (record,) = caplog.records
    assert (record.levelname, record.message) == (
        "ERROR",
        "the counts of a worker were not added up",
    )


def test_a_private_folder_is_for_its_owner_only_and_removed(tmp_path: Path) -> None:
    folder = CountsFolder(None, str(tmp_path))
    assert folder.path.parent == tmp_path
    assert folder.path.stat().st_mode & 0o777 == 0o700
    folder.remove()
    assert not folder.path.exists()


def test_a_configured_folder_is_made_emptied_of_counts_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b"
    CountsFolder(str(path), "")
    (path / "counter_1.db").write_bytes(b"old")
    (path / "notes.txt").write_text("mine", encoding="utf-8")
    folder = CountsFolder(str(path), "")
    folder.remove()
    assert [file.name for file in path.iterdir()] == ["notes.txt"]
