"""Which pictures of a store are meant, and where their cut-outs go."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

import pytest

from bgremove.errors import PlanError

fsspec = pytest.importorskip("fsspec", reason="the extra `dask` is not installed")

from bgremove.batch import stores  # noqa: E402
from bgremove.batch.store_jobs import plan  # noqa: E402


@pytest.fixture
def memory() -> Any:
    store = fsspec.filesystem("memory")  # one a process: others have left things in it
    store.store.clear()
    store.pseudo_dirs[:] = [""]
    return store


def put(store: Any, *names: str) -> None:
    for name in names:
        store.pipe_file(name, b"picture")


def planned(*names: str, out: str = "memory://out", **how: bool) -> dict[str, str]:
    """Return target by source, without what all have in front."""
    return {
        job.source.removeprefix("memory://"): job.target.removeprefix("memory://")
        for job in plan(names, out, ".png", **how)
    }


def test_a_folder_gives_its_pictures_with_their_folders(memory: Any) -> None:
    put(memory, "/in/a.jpg", "/in/sub/b.png", "/in/notes.txt", "/in/.hidden.png", "/in/.git/c.png")
    assert planned("memory://in/") == {"in/a.jpg": "out/a.png", "in/sub/b.png": "out/sub/b.png"}
    assert planned("memory://in", recursive=False) == {"in/a.jpg": "out/a.png"}


def test_several_folders_keep_their_names_and_files_do_not(memory: Any) -> None:
    put(memory, "/in/a.jpg", "/more/a.jpg", "/x/extra.jpg")
    assert planned("memory://in", "memory://more", "memory://x/extra.jpg") == {
        "in/a.jpg": "out/in/a.png",
        "more/a.jpg": "out/more/a.png",
        "x/extra.jpg": "out/extra.png",
    }
    assert planned("memory://in", "memory://x/extra.jpg")["in/a.jpg"] == "out/a.png"


def test_a_picture_that_is_meant_twice_is_done_once(memory: Any) -> None:
    put(memory, "/in/a.jpg")
    assert planned("memory://in", "memory://in/a.jpg") == {"in/a.jpg": "out/a.png"}


def test_a_pattern_takes_what_matches_whatever_its_name(memory: Any) -> None:
    put(memory, "/in/a.jpg", "/in/b", "/in/sub/c.jpg")
    assert planned("memory://in/*") == {"in/a.jpg": "out/a.png", "in/b": "out/b.png"}
    assert planned("memory://in/*/*.jpg") == {"in/sub/c.jpg": "out/sub/c.png"}


def test_a_folder_whose_name_looks_like_a_pattern_is_a_folder(memory: Any) -> None:
    put(memory, "/in [2026]/a.jpg")
    assert planned("memory://in [2026]") == {"in [2026]/a.jpg": "out/a.png"}


def test_one_picture_may_go_to_a_file(memory: Any) -> None:
    put(memory, "/in/a.jpg", "/in/b.jpg")
    assert planned("memory://in/a.jpg", out="memory://x/cutout.png") == {"in/a.jpg": "x/cutout.png"}
    put(memory, "/x/cutout.png")
    with pytest.raises(PlanError, match="2 pictures need a folder"):
        planned("memory://in", out="memory://x/cutout.png")
    with pytest.raises(PlanError, match="PNG"):
        planned("memory://in/a.jpg", out="memory://x/cutout.jpg")


def test_what_lies_in_the_output_is_no_picture(memory: Any) -> None:
    put(memory, "/in/a.jpg", "/in/out/a.png")
    assert planned("memory://in", out="memory://in/out") == {"in/a.jpg": "in/out/a.png"}
    put(memory, "/b/photos/a.jpg")
    assert planned("memory://b/photos", out="memory://b") == {"b/photos/a.jpg": "b/a.png"}


@pytest.mark.parametrize(
    ("names", "out"),
    [
        (["photos/a.png"], "photos"),
        (["photos", "more"], "."),
        (["."], "photos/.."),
        (["photos"], "photos/../linked"),
    ],
)
def test_no_picture_is_written_over(
    names: list[str], out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("photos/a.png", "more/b.png"):
        Path(name).parent.mkdir()
        Path(name).write_bytes(b"picture")
    Path("linked").symlink_to("photos")
    for overwrite in (False, True):
        with pytest.raises(PlanError, match=r"written over|among its pictures"):
            plan(names, out, ".png", overwrite=overwrite)


@pytest.mark.parametrize("name", ["memory://nothing", "memory://nothing/*.jpg", "nonsense://x"])
def test_what_is_not_there_is_named(memory: Any, name: str) -> None:
    with pytest.raises(PlanError, match=r"nothing|nonsense"):
        planned(name)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "out" / "a.png"
    stores.write(str(target), b"first")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(OSError, match="No space"):
        stores.write(str(target), b"second")
    assert [(path.name, path.read_bytes()) for path in target.parent.iterdir()] == [
        ("a.png", b"first")
    ]


def test_a_store_that_names_its_host_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a worker opens has to say where: fsspec takes the host out of a path."""

    class Elsewhere(type(fsspec.filesystem("memory"))):  # type: ignore[misc]
        protocol = "elsewhere"
        store: ClassVar[dict[str, Any]] = {}
        pseudo_dirs: ClassVar[list[str]] = [""]

        @classmethod
        def _strip_protocol(cls, path: str) -> str:
            return "/" + path.removeprefix("elsewhere://").partition("/")[2].strip("/")

        @staticmethod
        def _get_kwargs_from_urls(path: str) -> dict[str, str]:
            return {"host": path.removeprefix("elsewhere://").partition("/")[0]}

    fsspec.register_implementation("elsewhere", Elsewhere, clobber=True)
    fsspec.filesystem("elsewhere", host="shop").pipe_file("/in/a.jpg", b"picture")
    (job,) = plan(["elsewhere://shop/in"], "elsewhere://shop/out", ".png")
    assert (job.source, job.target) == ("elsewhere://shop/in/a.jpg", "elsewhere://shop/out/a.png")
