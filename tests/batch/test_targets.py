import os
from pathlib import Path, PurePosixPath

import pytest

from bgremove.batch.plan import check_writable, plan
from bgremove.batch.records import Job
from bgremove.batch.sources import Picture
from bgremove.batch.stores import File
from bgremove.batch.targets import means_file, target_names, targets
from bgremove.errors import PlanError
from bgremove.options import Options, OutputFormat


def names(*relatives: str, suffix: str = ".png") -> list[str]:
    paths = [PurePosixPath(name) for name in relatives]
    return [str(name) for name in target_names(paths, suffix)]


def pictures(*paths: str) -> list[Picture]:
    return [Picture(File(f"in/{path}", 1, 0, path), PurePosixPath(path)) for path in paths]


def test_a_cutout_has_the_name_of_its_picture_and_its_own_suffix() -> None:
    assert names("a.jpg", "sub/b.WEBP") == ["a.png", "sub/b.png"]
    assert names("a.png", suffix=".jpg") == ["a.jpg"]


def test_what_is_no_suffix_of_a_picture_stays_in_the_name() -> None:
    assert names("photo", "holiday.2024") == ["photo.png", "holiday.2024.png"]


def test_pictures_that_would_share_a_name_keep_their_whole_one() -> None:
    assert names("a.jpg", "a.png", "b.jpg") == ["a.jpg.png", "a.png.png", "b.png"]
    assert names("x/a.jpg", "y/a.jpg") == ["x/a.png", "y/a.png"]


def test_names_that_differ_in_case_only_count_as_the_same() -> None:
    assert names("a.jpg", "A.png") == ["a.jpg.png", "A.png.png"]


def test_pictures_whose_own_names_differ_in_case_only_keep_these() -> None:
    assert names("IMG_1.JPG", "IMG_1.jpg", "b.jpg") == ["IMG_1.JPG.png", "IMG_1.jpg.png", "b.png"]
    assert names("x/a.jpg", "X/a.jpg") == ["x/a.jpg.png", "X/a.jpg.png"]
    with pytest.raises(PlanError, match=r"both called a\.jpg"):
        names("A.jpg", "a.jpg", "a.jpg")


def test_a_whole_name_that_is_taken_pushes_the_other_on() -> None:
    assert names("a.jpg", "a.png", "a.jpg.png") == ["a.jpg.png", "a.png.png", "a.jpg.png.png"]


def test_two_pictures_of_the_same_path_are_refused() -> None:
    with pytest.raises(PlanError, match=r"both called a\.jpg"):
        names("a.jpg", "a.jpg")


def test_one_picture_may_have_a_file_or_a_folder(tmp_path: Path) -> None:
    one = pictures("a.jpg")
    assert targets(one, "out/b.png", Options()) == ["out/b.png"]
    assert targets(one, str(tmp_path), Options()) == [f"{tmp_path}/a.png"]
    assert targets(one, "-", Options()) == ["-"]


@pytest.mark.parametrize(
    ("out", "made", "fault"),
    [
        ("b.jpg", OutputFormat.MASK, r"the cut-out is a PNG; its name must end in \.png$"),
        ("b.jpg", OutputFormat.TRANSPARENT, "no transparency; .* add --format white_bg"),
        ("b.gif", OutputFormat.WHITE_BG, r"\.gif; .* \.png, \.jpg, \.jpeg, \.jpe, \.jfif, \.webp$"),
        ("b.heic", OutputFormat.TRANSPARENT, r"not written as \.heic; .* one of \.png, \.webp$"),
        ("b.HEIC", OutputFormat.MASK, r"not written as \.HEIC; end the name in one of \.png$"),
    ],
)
def test_a_file_must_be_named_for_its_type(out: str, made: OutputFormat, fault: str) -> None:
    with pytest.raises(PlanError, match=fault):
        targets(pictures("a.jpg"), out, Options(output_format=made))


def test_several_pictures_need_a_folder(tmp_path: Path) -> None:
    two = pictures("a.jpg", "b.jpg")
    file = tmp_path / "out"
    file.write_bytes(b"")
    for out in (file, tmp_path / "not_there.png"):
        with pytest.raises(PlanError, match="names a file: 2 pictures need a folder"):
            targets(two, str(out), Options())
    with pytest.raises(PlanError, match="names a file: a cut-out needs a folder"):
        targets(two[:1], str(file), Options())
    with pytest.raises(PlanError, match="standard output takes one picture, not 2"):
        targets(two, "-", Options())


def test_a_web_server_takes_no_cutouts() -> None:
    with pytest.raises(PlanError, match="a web server takes no cut-outs"):
        targets(pictures("a.jpg"), "https://example.com/out", Options())


def test_no_picture_is_ever_overwritten(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"x")
    link = tmp_path / "link"
    os.symlink(tmp_path, link)
    hard = tmp_path / "hard.png"  # as a file system that ignores case has it under two names
    os.link(picture, hard)
    for out in (str(tmp_path), str(picture), str(link), str(hard)):
        for overwrite in (False, True):
            with pytest.raises(PlanError, match="would be overwritten"):
                plan([str(picture)], out, Options(), overwrite=overwrite)


def test_an_output_that_cannot_be_written_is_found_first(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(PlanError, match="file cannot be written: Not a directory"):
        check_writable([Job("a.jpg", f"{tmp_path}/file/a.png")])


def test_a_name_of_a_picture_means_a_file_unless_it_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a.png"
    folder.mkdir()
    assert means_file("b.PNG")
    assert means_file("b.tif")
    assert not means_file("out")
    assert not means_file("out.v2")
    assert not means_file("b.png/")
    assert not means_file(str(folder))
