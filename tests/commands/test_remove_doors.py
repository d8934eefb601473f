"""`bgremove remove` without an output, with addresses, with what it leaves out and doubts."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from bgremove.commands.report import kinds_in_words
from tests.commands.conftest import Invoke
from tests.provisioning.file_server import FileServer
from tests.support.tiny import ball, encoded


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server


def names(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def counts(output: str) -> Counter[str]:
    """Count the lines of --json by status."""
    return Counter(json.loads(line)["status"] for line in output.splitlines())


def test_without_an_output_cutouts_lie_beside_their_pictures(invoke: Invoke, photos: Path) -> None:
    before = names(photos)
    assert invoke("remove", photos / "a.jpg").exit_code == 0
    assert names(photos) - before == {"a.cutout.png"}
    result = invoke("remove", photos, "--format", "white_bg", "--json")
    made = {"a.cutout-white.jpg", "b.cutout-white.jpg", "sub/c.cutout-white.jpg"}
    assert names(photos) - before == made | {"a.cutout.png"}
    assert counts(result.stdout) == {"done": 3}
    again = invoke("remove", photos, "--format", "white_bg", "--json")
    assert counts(again.stdout) == {"skipped": 3}  # no cut-out is taken for a picture


def test_standard_input_needs_an_output(invoke: Invoke) -> None:
    result = invoke("remove", "-", stdin=encoded(ball()))
    assert result.exit_code == 2
    assert "standard input has no name" in result.stderr


def test_another_format_in_the_same_folder_is_not_taken_for_done(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    invoke("remove", photos, "-o", out)
    assert names(out) == {"a.png", "b.png", "sub/c.png"}
    same = invoke("remove", photos, "-o", out, "--json")
    assert counts(same.stdout) == {"skipped": 3}
    other = invoke("remove", photos, "-o", out, "--format", "mask", "--json")
    assert counts(other.stdout) == {"done": 3}
    with Image.open(out / "a.png") as mask:
        assert mask.mode == "L"
    os.utime(out / "b.png", (1, 1))  # as if the run had been interrupted before it
    rest = invoke("remove", photos, "-o", out, "--format", "mask", "--json")
    assert counts(rest.stdout) == {"done": 1, "skipped": 2}


def test_files_left_out_of_a_folder_are_counted_by_kind(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(64)
    (photos / "x.heic").write_bytes(heic)
    (photos / "sub" / "y.heic").write_bytes(heic)
    (photos / "z.tif").write_bytes(b"II*\0\x08\0\0\0" + bytes(64))
    (photos / "notes.md").write_text("# notes of the day\n")
    (photos / ".hidden.heic").write_bytes(heic)
    (photos / "renamed.dat").write_bytes(encoded(ball(), ".jpg"))
    result = invoke("remove", photos, "-o", tmp_path / "out", "--json")
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    kinds = {line["input"]: line["kind"] for line in lines if line["status"] == "left-out"}
    assert kinds == {
        str(photos / "notes.md"): "other",
        str(photos / "renamed.dat"): "JPEG under another name",
        str(photos / "sub" / "y.heic"): "HEIC",
        str(photos / "x.heic"): "HEIC",
        str(photos / "z.tif"): "TIFF",
    }
    assert "left out: 2 HEIC, 1 " in result.stderr


def test_a_folder_of_other_kinds_only_says_which(invoke: Invoke, tmp_path: Path) -> None:
    (tmp_path / "z.tif").write_bytes(b"II*\0\x08\0\0\0" + bytes(64))
    result = invoke("remove", tmp_path, "-o", tmp_path / "out")
    assert result.exit_code == 2
    assert f"no pictures in {tmp_path}, only 1 TIFF" in result.stderr


def test_what_is_too_unsure_fails_and_is_not_written(
    invoke: Invoke, photos: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    result = invoke("remove", photos, "-o", out, "--json", "--min-confidence", "1")
    assert result.exit_code == 1
    assert counts(result.stdout) == {"failed": 3}
    assert "LOW_CONFIDENCE" in result.stdout
    assert not out.exists()
    assert invoke("remove", photos, "-o", out, "--min-confidence", "0").exit_code == 0


def test_an_output_that_cannot_be_written_is_found_first(invoke: Invoke, photos: Path) -> None:
    result = invoke("remove", photos / "a.jpg", "-o", photos / "b.png" / "out")
    assert result.exit_code == 2
    assert f"{photos / 'b.png'} cannot be written: Not a directory" in result.stderr
    assert "models" not in result.stderr


def test_an_address_is_fetched_within_the_limit(
    invoke: Invoke, tmp_path: Path, server: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files["/shop/ball%201.jpg"] = encoded(ball(), ".jpg")
    out = tmp_path / "out"
    result = invoke("remove", server.url("/shop/ball%201.jpg"), "-o", out, "--json")
    assert result.exit_code == 0, result.stderr
    line = json.loads(result.stdout.splitlines()[0])
    assert line["input"] == server.url("/shop/ball%201.jpg")
    assert line["output"] == str(out / "ball 1.png")
    missing = invoke("remove", server.url("/none.jpg"), "-o", out)
    assert missing.exit_code == 1
    assert "cannot be read: 404 Not Found" in missing.stderr
    monkeypatch.setenv("BGREMOVE_MAX_UPLOAD_BYTES", "100")
    large = invoke("remove", server.url("/shop/ball%201.jpg"), "-o", tmp_path / "new")
    assert "more than the limit of 100" in large.stderr


def test_pictures_of_a_store_are_cut_out_here(invoke: Invoke) -> None:
    fsspec = pytest.importorskip("fsspec", reason="fsspec is not installed")
    store = fsspec.filesystem("memory")
    store.pipe_file("/shop/in/sub/a.jpg", encoded(ball(), ".jpg"))
    store.pipe_file("/shop/in/b.heic", b"")
    first = invoke("remove", "memory://shop/in", "-o", "memory://shop/out", "--json")
    assert first.exit_code == 0, first.stderr
    assert counts(first.stdout) == {"done": 1, "left-out": 1}
    assert store.cat_file("/shop/out/sub/a.png").startswith(b"\x89PNG")
    again = invoke("remove", "memory://shop/in", "-o", "memory://shop/out", "--json")
    assert counts(again.stdout) == {"skipped": 1, "left-out": 1}
    mask = ("--format", "mask", "--json")
    other = invoke("remove", "memory://shop/in", "-o", "memory://shop/out", *mask)
    assert counts(other.stdout) == {"done": 1, "left-out": 1}
    store.rm("/shop", recursive=True)


def test_a_finished_batch_needs_no_models(
    invoke: Invoke, photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    invoke("remove", photos, "-o", tmp_path / "out")
    monkeypatch.setenv("BGREMOVE_WEIGHTS_DIR", str(tmp_path / "none"))
    again = invoke("remove", photos, "-o", tmp_path / "out", "--offline", "--json")
    assert again.exit_code == 0
    assert counts(again.stdout) == {"skipped": 3}


def test_kinds_are_told_most_first() -> None:
    assert kinds_in_words(["a", "b", "b"]) == "2 b, 1 a"
