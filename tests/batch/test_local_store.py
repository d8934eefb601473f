"""Reading and writing local files, standard input, and the size limit."""

import io
import os
import stat
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from bgremove.batch.local_store import LocalStore
from bgremove.batch.records import failure
from bgremove.batch.sources import find
from bgremove.batch.stores import fixed_part, store_of
from bgremove.errors import ImageError, PlanError
from bgremove.imaging.probe import limits

STORE = LocalStore()


def test_a_picture_is_read_up_to_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(b"12345")
    assert STORE.read(str(path), 5) == b"12345"
    with pytest.raises(ImageError, match="has 5 bytes, more than the limit of 4") as caught:
        STORE.read(str(path), 4)
    message = str(failure(caught.value).message)
    assert message.endswith("limit of 4; BGREMOVE_MAX_UPLOAD_BYTES raises it, up to 67,108,864")


def test_standard_input_is_counted_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.BytesIO(bytes(3_000_000))
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
    with pytest.raises(ImageError, match="3,000,000 bytes"):
        store_of("-").read("-", 10)


def test_a_device_without_an_end_is_not_read_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MOST_COUNTED", 4_000_000)
    with pytest.raises(ImageError, match="more than the limit of 10"):
        STORE.read("/dev/zero", 10)


def test_a_named_pipe_is_read(tmp_path: Path) -> None:
    """Shells hand over the output of a command in this way."""
    reader, writer = os.pipe()
    with os.fdopen(reader), os.fdopen(writer, "wb") as file:
        file.write(b"picture")
        file.close()
        assert STORE.read(f"/dev/fd/{reader}", 10) == b"picture"


def test_a_cutout_is_written_with_its_folders_and_the_usual_rights(tmp_path: Path) -> None:
    target = tmp_path / "x" / "y" / f"{'a' * 250}.png"
    before = os.umask(0o022)
    try:
        STORE.write(str(target), b"cutout")
    finally:
        os.umask(before)
    assert target.read_bytes() == b"cutout"
    assert stat.S_IMODE(target.stat().st_mode) == 0o644
    assert list(target.parent.iterdir()) == [target]


def test_a_write_that_fails_leaves_the_previous_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"before")

    def full(path: Path, data: bytes) -> int:
        path.open("wb").close()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OSError, match="No space left"):
        STORE.write(str(target), b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
    assert target.read_bytes() == b"before"


@pytest.mark.parametrize("name", ["a::b.jpg", "local:a.jpg", "~a.jpg"])
def test_a_name_that_looks_like_an_address_is_a_path(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    store_of(name).write(name, b"x")
    assert (tmp_path / name).read_bytes() == b"x"


@pytest.mark.parametrize(
    ("pattern", "folder"),
    [("*.jpg", "."), ("in/**/a.jpg", "in"), ("/*/a", "/"), ("s3://shop/in/*", "s3://shop/in")],
)
def test_the_part_of_a_pattern_before_its_wildcards(pattern: str, folder: str) -> None:
    assert fixed_part(pattern) == folder


def test_folders_nested_to_any_depth_are_searched_and_made(tmp_path: Path) -> None:
    """Deeper than Python's limit of calls within calls."""
    depth = 1_200
    deep = "/".join(["d"] * depth)
    STORE.write(f"{tmp_path}/{deep}/a.png", b"content")
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "b.png").write_bytes(b"content")
    try:
        found = [file.name for file in STORE.files(str(tmp_path), recursive=True)]
        assert found == [f"{tmp_path}/b.png", f"{tmp_path}/{deep}/a.png"]
        with pytest.raises(PlanError, match="nested too deeply"):
            find([f"{tmp_path}/**/*.png"], None)
    finally:  # nor does shutil.rmtree take such a depth
        os.unlink(f"{tmp_path}/{deep}/a.png")
        for count in range(depth, 0, -1):
            os.rmdir(f"{tmp_path}/" + "d/" * count)
