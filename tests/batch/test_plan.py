"""The plan of a batch in stores of fsspec: pictures, cut-outs, and those that are finished."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import pytest

from bgremove.batch.plan import NOTE, is_finished, plan, remember
from bgremove.batch.stores import File, store_of
from bgremove.errors import PlanError
from bgremove.options import Options, OutputFormat

fsspec = pytest.importorskip("fsspec", reason="the extra `dask` is not installed")
MASK = Options(output_format=OutputFormat.MASK)


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
        for job in plan(names, out, Options(), **how).jobs
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
        with pytest.raises(PlanError, match=r"overwritten|among its pictures"):
            plan(names, out, Options(), overwrite=overwrite)


@pytest.mark.parametrize("name", ["memory://nothing", "memory://nothing/*.jpg", "nonsense://x"])
def test_a_name_that_matches_nothing_is_named(memory: Any, name: str) -> None:
    with pytest.raises(PlanError, match=r"nothing|nonsense"):
        planned(name)


def test_a_store_without_its_package_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError("Install s3fs to access S3")

    monkeypatch.setattr(fsspec.core, "url_to_fs", missing)
    with pytest.raises(PlanError, match="pip install s3fs"):
        plan(["s3://shop/in"], "out", Options())


def test_cutouts_lie_beside_their_pictures_in_a_store(memory: Any) -> None:
    put(memory, "/in/a.jpg", "/in/sub/b.jpg", "/in/a.cutout.png")
    jobs = plan(["memory://in"], None, Options()).jobs
    assert [job.target for job in jobs] == [
        "memory://in/a.cutout.png",
        "memory://in/sub/b.cutout.png",
    ]
    assert [job.is_finished for job in jobs] == [True, False]


def test_pictures_of_a_store_may_have_local_cutouts(memory: Any, tmp_path: Path) -> None:
    put(memory, "/in/sub/a.jpg")
    (job,) = plan(["memory://in"], str(tmp_path), Options()).jobs
    assert (job.source, job.target) == ("memory://in/sub/a.jpg", f"{tmp_path}/sub/a.png")


def test_no_cutout_leaves_the_output_folder(memory: Any, tmp_path: Path) -> None:
    put(memory, "/in/../../a.jpg", "/in/b.jpg")
    (job,) = plan(["memory://in"], "out", Options()).jobs
    assert job.target == "out/b.png"
    (tmp_path / "in" / "sub").mkdir(parents=True)
    (tmp_path / "in" / "a.jpg").write_bytes(b"x")
    with pytest.raises(PlanError, match="would leave the output folder"):
        plan([f"{tmp_path}/in/*/../a.jpg"], "out", Options())


def test_other_files_of_a_store_are_listed(memory: Any) -> None:
    put(memory, "/in/a.jpg", "/in/b.heic")
    assert plan(["memory://in"], "memory://out", Options()).others == ["memory://in/b.heic"]


FINISHED = File("a.png", 7, 1000, "a.png")


@pytest.mark.parametrize(
    ("cutout", "since_ns", "is_done"),
    [
        (FINISHED, 0, True),
        (replace(FINISHED, changed_ns=999), 0, False),
        (replace(FINISHED, changed_ns=0), 0, True),  # the store reports no time
        (replace(FINISHED, size=0), 0, False),
        (FINISHED, 1001, False),  # made with other options
        (None, 0, False),
    ],
)
def test_a_cutout_is_finished_if_it_is_whole_and_not_older(
    cutout: File | None, since_ns: int, is_done: bool
) -> None:
    assert is_finished(File("a.jpg", 5, 1000, "a.jpg"), cutout, since_ns) is is_done


@pytest.mark.parametrize("where", ["local", "memory"])
@pytest.mark.parametrize("count", [2, 30])  # looked up one by one, and by listing
def test_finished_means_the_same_in_every_store(
    memory: Any, tmp_path: Path, where: str, count: int
) -> None:
    root = "memory://x" if where == "memory" else str(tmp_path)
    source, out = f"{root}/in", f"{root}/out"
    store = store_of(root)
    for number in range(count):
        store.write(f"{source}/{number}.jpg", b"picture")

    def finished(options: Options, **how: bool) -> int:
        return sum(job.is_finished for job in plan([source], out, options, **how).jobs)

    assert finished(Options()) == 0
    for number in range(count):
        store.write(f"{out}/{number}.png", b"cut-out" if number else b"")
    assert finished(Options()) == count - 1
    assert finished(Options(), overwrite=True) == 0
    assert finished(MASK) == 0
    remember(out, MASK)
    if where == "local":  # a clock may give the note and a cut-out the same time
        later = (tmp_path / "out" / "1.png").stat().st_mtime_ns + 10**9
        os.utime(tmp_path / "out" / NOTE, ns=(later, later))
        assert finished(MASK) == 0
        os.utime(tmp_path / "out" / "1.png", ns=(later, later))
        assert finished(MASK) == 1
    assert finished(Options()) == 0
    store.write(f"{source}/1.jpg", b"changed")
    assert finished(MASK) <= count - 1


def test_a_damaged_note_counts_as_other_options(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for name in ("in/a.jpg", "out/a.png", f"out/{NOTE}"):
        (tmp_path / name).write_bytes(b"x")
    (job,) = plan([f"{tmp_path}/in"], f"{tmp_path}/out", Options()).jobs
    assert not job.is_finished


def test_a_pipe_in_place_of_the_note_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "out").mkdir()
    for name in ("in/a.jpg", "out/a.png"):
        (tmp_path / name).write_bytes(b"x")
    os.mkfifo(tmp_path / "out" / NOTE)
    plans = ThreadPoolExecutor()
    found = plans.submit(plan, [f"{tmp_path}/in"], f"{tmp_path}/out", Options())
    try:
        (job,) = found.result(timeout=60).jobs
        assert not job.is_finished
    finally:
        if not found.done():  # lets the read end
            os.close(os.open(tmp_path / "out" / NOTE, os.O_WRONLY | os.O_NONBLOCK))
        plans.shutdown()


def test_a_store_that_cannot_write_objects_renames_a_complete_file(tmp_path: Path) -> None:
    name = f"file://{tmp_path}/out/a.png"
    for data in (b"first", b"second"):
        store_of(name).write(name, data)
    (written,) = (tmp_path / "out").iterdir()
    assert (written.name, written.read_bytes()) == ("a.png", b"second")


def test_a_mistyped_bucket_is_not_created(memory: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """In s3fs, creating the folder of an object creates its bucket."""

    def create(*_: object, **__: object) -> None:
        raise AssertionError("a bucket was created")

    monkeypatch.setattr(type(memory), "makedirs", create)
    store_of("memory://a").write("memory://a/b.png", b"x")
    assert memory.cat_file("/a/b.png") == b"x"


def test_an_error_of_a_driver_is_an_error_of_the_file(
    memory: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("Access Denied")

    for name in ("open", "pipe_file"):
        monkeypatch.setattr(type(memory), name, refuse)
    with pytest.raises(OSError, match="Access Denied"):
        store_of("memory://a").read("memory://a", 5)
    with pytest.raises(OSError, match="Access Denied"):
        store_of("memory://a").write("memory://a/b", b"")


def test_a_store_that_names_its_host_keeps_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """fsspec removes the host from a path, but a worker on another machine needs it."""

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
    (job,) = plan(["elsewhere://shop/in"], "elsewhere://shop/out", Options()).jobs
    assert (job.source, job.target) == ("elsewhere://shop/in/a.jpg", "elsewhere://shop/out/a.png")
