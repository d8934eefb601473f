import errno
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bgremove.batch.local_store import LocalStore
from bgremove.batch.records import DISK_FULL, UNREACHABLE, Job, Outcome, Record, Result, Status
from bgremove.batch.run import AHEAD, process, run

Cut = Callable[[bytes], Result]


def cut(image: bytes) -> Result:
    return Result(b"cut " + image, Record(model="m", confidence=0.5))


def jobs(folder: Path, count: int) -> list[Job]:
    for number in range(count):
        (folder / f"{number}.jpg").write_bytes(b"%d" % number)
    return [Job(f"{folder}/{n}.jpg", f"{folder}/out/{n}.png") for n in range(count)]


def outcomes(
    todo: list[Job], remover: Cut, at_once: int = 2, stop: threading.Event | None = None
) -> list[Outcome]:
    stop = stop or threading.Event()
    return list(run(todo, remover, max_bytes=100, at_once=at_once, stop=stop))


def test_every_picture_is_read_cut_out_and_written(tmp_path: Path) -> None:
    done = outcomes(jobs(tmp_path, 5), cut)
    assert {outcome.status for outcome in done} == {Status.DONE}
    written = sorted((tmp_path / "out").iterdir())
    assert [path.read_bytes() for path in written] == [b"cut %d" % n for n in range(5)]


def test_a_failure_stops_nothing_and_writes_nothing(tmp_path: Path) -> None:
    def fails(image: bytes) -> Result:
        return Result(b"", Record("CODE", "why")) if image == b"1" else cut(image)

    done = outcomes(jobs(tmp_path, 4), fails)
    (failed,) = [outcome for outcome in done if outcome.status is Status.FAILED]
    assert (failed.record.code, failed.record.message) == ("CODE", "why")
    assert len(done) == 4
    assert not (tmp_path / "out" / "1.png").exists()


def test_a_picture_that_cannot_be_read_or_written_fails(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, 1)
    absent = process(Job(f"{tmp_path}/none.jpg", job.target), cut, 100)
    assert (absent.record.code, absent.record.message) == (
        "READ_FAILED",
        "cannot be read: No such file or directory",
    )
    assert process(job, cut, 0).record.code == "VALIDATION_ERROR"
    (tmp_path / "out").write_bytes(b"a file where a folder should be")
    assert process(job, cut, 100).record.code == "WRITE_FAILED"


def test_an_error_that_nobody_foresaw_fails_its_picture_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(image: bytes) -> Result:
        if image == b"2":
            raise RuntimeError("a defect")
        return cut(image)

    with caplog.at_level(logging.ERROR, "bgremove"):
        done = outcomes(jobs(tmp_path, 4), breaks)
    codes = [outcome.record.code for outcome in done if outcome.status is Status.FAILED]
    assert codes == ["INTERNAL_ERROR"]
    assert "a defect" in caplog.text


def test_no_more_pictures_are_in_hand_than_allowed(tmp_path: Path) -> None:
    lock, now, most = threading.Lock(), 0, 0

    def counted(image: bytes) -> Result:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.005)
        with lock:
            now -= 1
        return cut(image)

    outcomes(jobs(tmp_path, 20), counted, at_once=3)
    assert most == 3


def test_stopping_finishes_what_is_begun_and_begins_nothing(tmp_path: Path) -> None:
    stop = threading.Event()

    def stops(image: bytes) -> Result:
        stop.set()
        return cut(image)

    done = outcomes(jobs(tmp_path, 20), stops, at_once=2, stop=stop)
    assert 1 <= len(done) <= 2
    assert {outcome.status for outcome in done} == {Status.DONE}


def test_a_failure_that_all_would_meet_ends_the_batch(tmp_path: Path) -> None:
    def unreachable(image: bytes) -> Result:
        return Result(b"", Record(UNREACHABLE, "nobody there"))

    done = outcomes(jobs(tmp_path, 20), unreachable, at_once=1)
    assert len(done) <= AHEAD


def test_a_full_disk_ends_the_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(store: object, name: str, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(LocalStore, "write", full)
    done = outcomes(jobs(tmp_path, 20), cut, at_once=1)
    assert {outcome.record.code for outcome in done} == {DISK_FULL}
    assert "No space left on device" in str(done[0].record.message)
    assert len(done) <= AHEAD


def test_a_cutout_with_a_low_confidence_is_not_written(tmp_path: Path) -> None:
    (job,) = jobs(tmp_path, 1)
    record = process(job, cut, 100, min_confidence=0.6).record
    assert (record.code, record.message) == (
        "LOW_CONFIDENCE",
        "the confidence is 0.50, below 0.6",
    )
    assert not (tmp_path / "out").exists()
    assert process(job, cut, 100, min_confidence=0.5).record.code is None
