import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bgremove.batch.records import Job
from bgremove.batch.watch import Watch, is_being_written, looks


@pytest.fixture(autouse=True)
def _signals() -> Iterator[None]:
    before = signal.signal(signal.SIGIO, signal.SIG_IGN)
    yield
    signal.signal(signal.SIGIO, before)


def job(path: Path) -> Job:
    return Job(str(path), str(path.with_suffix(".png")))


def test_a_picture_is_given_once_it_lies_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"half")
    watch = Watch(settle_s=2)
    assert watch.ready([job(path)], 10.0) == []
    assert watch.waits
    path.write_bytes(b"the whole")
    assert watch.ready([job(path)], 11.9) == []
    assert watch.ready([job(path)], 13.8) == []
    assert watch.ready([job(path)], 13.9) == [job(path)]
    assert not watch.waits
    assert watch.ready([job(path)], 20.0) == []


def test_one_that_changes_afterwards_is_given_again(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    watch = Watch(settle_s=0)
    assert watch.ready([job(path)], 1.0) == []
    assert watch.ready([job(path)], 1.0) == [job(path)]
    path.write_bytes(b"another")
    watch.ready([job(path)], 2.0)
    assert watch.ready([job(path)], 2.0) == [job(path)]


def test_one_that_vanishes_is_not_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"one")
    watch = Watch(settle_s=9)
    watch.ready([job(path)], 1.0)
    path.unlink()
    assert watch.ready([job(path)], 2.0) == []
    assert not watch.waits


def test_a_file_that_someone_writes_is_not_whole_however_long_they_pause(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    with path.open("wb") as file:
        file.write(b"half")
        file.flush()
        if not is_being_written(path):
            pytest.skip("this file system or user has no leases: only the clock tells")
        watch = Watch(settle_s=1)
        watch.ready([job(path)], 1.0)
        assert watch.ready([job(path)], 1000.0) == []
    assert not is_being_written(path)
    assert watch.ready([job(path)], 1000.0) == [job(path)]


def test_asking_does_not_disturb_a_writer_of_another_process(tmp_path: Path) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(b"")
    code = "import sys\nfor n in range(300): open(sys.argv[1], 'ab').write(b'x')"
    writer = subprocess.Popen([sys.executable, "-c", code, path])
    while writer.poll() is None:
        is_being_written(path)
    assert writer.returncode == 0
    assert path.stat().st_size == 300


def test_what_cannot_be_opened_is_not_known_to_be_written(tmp_path: Path) -> None:
    assert not is_being_written(tmp_path / "none.jpg")


def test_a_look_is_due_at_the_start_and_whenever_something_comes(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    (folder / "sub").mkdir(parents=True)
    stop = threading.Event()
    bound = threading.Timer(30, stop.set)
    bound.start()
    due = looks([folder], Watch(settle_s=0), stop)
    next(due)
    (tmp_path / "a.part").write_bytes(b"x")
    os.replace(tmp_path / "a.part", folder / "sub" / "a.jpg")  # moved in, as rsync does
    next(due)
    (folder / "b.jpg").write_bytes(b"x")
    next(due)
    bound.cancel()
    stop.set()
    assert next(due, None) is None
