import os
from pathlib import Path

import pytest

from bgremove.batch.sources import Found
from bgremove.batch.targets import means_file, plan, target_names
from bgremove.errors import PlanError


def names(*relatives: str, suffix: str = ".png") -> list[str]:
    return [str(name) for name in target_names([Path(name) for name in relatives], suffix)]


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
    found = [Found(Path("in/a.jpg"), Path("a.jpg"))]
    (job,) = plan(found, "out/b.png", ".png")
    assert job.target == Path("out/b.png")
    (job,) = plan(found, str(tmp_path), ".png")
    assert job.target == tmp_path / "a.png"
    (job,) = plan(found, "-", ".png")
    assert job.target is None


@pytest.mark.parametrize(("out", "suffix"), [("b.jpg", ".png"), ("b.png", ".jpg")])
def test_a_file_must_be_named_for_what_comes_out(out: str, suffix: str) -> None:
    with pytest.raises(PlanError, match=f"what comes out is a {suffix[1:].upper()}"):
        plan([Found(Path("a.jpg"), Path("a.jpg"))], out, suffix)


def test_several_pictures_need_a_folder(tmp_path: Path) -> None:
    found = [Found(Path(name), Path(name)) for name in ("a.jpg", "b.jpg")]
    file = tmp_path / "out"
    file.write_bytes(b"")
    for out in (file, tmp_path / "not_there.png"):
        with pytest.raises(PlanError, match="names a file: 2 pictures need a folder"):
            plan(found, str(out), ".png")
    with pytest.raises(PlanError, match="standard output takes one picture, not 2"):
        plan(found, "-", ".png")


def test_no_picture_is_ever_written_over(tmp_path: Path) -> None:
    picture = tmp_path / "a.png"
    picture.write_bytes(b"")
    link = tmp_path / "link"
    os.symlink(tmp_path, link)
    found = [Found(picture, Path("a.png"))]
    for out in (str(tmp_path), str(picture), str(link)):
        with pytest.raises(PlanError, match="would be written over"):
            plan(found, out, ".png")


def test_a_name_of_a_picture_means_a_file_unless_it_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "a.png"
    folder.mkdir()
    assert means_file("b.PNG")
    assert not means_file("out")
    assert not means_file(str(folder))
