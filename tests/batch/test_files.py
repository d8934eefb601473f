import io
import os
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bgremove.batch import files
from bgremove.batch.files import is_finished, read, write
from bgremove.batch.records import Job
from bgremove.errors import ImageError


def test_a_picture_is_read_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert read(path, 5) == b"12345"
    with pytest.raises(ImageError, match="The file has 5 bytes, more than the limit of 4"):
        read(path, 4)


def test_standard_input_is_counted_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO(bytes(3_000_000))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
    with pytest.raises(ImageError, match="3,000,000 bytes"):
        read(None, 10)


def test_a_device_without_an_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MOST_COUNTED", 4_000_000)
    with pytest.raises(ImageError, match="more than the limit of 10"):
        read(Path("/dev/zero"), 10)


def test_a_cutout_is_written_with_its_folders_and_the_usual_rights(tmp_path: Path) -> None:
    target = tmp_path / "x" / "y" / "a.png"
    before = os.umask(0o022)
    try:
        write(target, b"cutout")
    finally:
        os.umask(before)
    assert target.read_bytes() == b"cutout"
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert [path.name for path in target.parent.iterdir()] == ["a.png"]


def test_what_cannot_be_written_whole_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"before")

    def full(path: Path, data: bytes) -> int:
        path.open("wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        write(target, b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert target.read_bytes() == b"before"


def test_a_cutout_is_finished_when_it_is_not_empty_and_not_older(tmp_path: Path) -> None:
    source, target = tmp_path / "a.jpg", tmp_path / "a.png"
    job = Job(source, target)
    source.write_bytes(b"photo")
    assert not is_finished(job)
    target.write_bytes(b"cutout")
    os.utime(source, (1000, 1000))
    assert is_finished(job)
    os.utime(target, (999, 999))
    assert not is_finished(job)
    os.utime(target, (1000, 1000))
    assert is_finished(job)
    target.write_bytes(b"")
    assert not is_finished(job)
    assert not is_finished(Job(None, target))
