import os
from pathlib import Path

import pytest

from bgremove.batch.sources import find, kinds_of
from bgremove.errors import PlanError

OUT = "/nowhere"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for name in ("b.jpg", "a.JPEG", "sub/c.png", "notes.txt", ".hidden.jpg", ".trash/d.jpg"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return folder


def relatives(*names: str | Path, out: str | Path = OUT, recursive: bool = True) -> list[str]:
    found = find([str(name) for name in names], str(out), recursive=recursive)
    return [str(one.relative) for one in found.pictures]


def test_a_folder_gives_its_pictures_and_those_of_its_folders(photos: Path) -> None:
    assert relatives(photos) == ["a.JPEG", "b.jpg", "sub/c.png"]
    assert relatives(photos, recursive=False) == ["a.JPEG", "b.jpg"]


def test_a_file_that_is_named_is_taken_whatever_its_name(photos: Path) -> None:
    assert relatives(photos / "notes.txt", photos / ".hidden.jpg") == ["notes.txt", ".hidden.jpg"]


def test_several_folders_keep_their_own_names(photos: Path, tmp_path: Path) -> None:
    more = tmp_path / "more"
    more.mkdir()
    (more / "b.jpg").write_bytes(b"x")
    names = relatives(photos, more)
    assert names == ["photos/a.JPEG", "photos/b.jpg", "photos/sub/c.png", "more/b.jpg"]


def test_a_pattern_is_searched_and_keeps_the_path_below_its_fixed_part(photos: Path) -> None:
    assert relatives(f"{photos}/**/*.png") == ["sub/c.png"]
    assert relatives(f"{photos}/*") == ["a.JPEG", "b.jpg", "notes.txt"]


def test_a_file_with_wildcards_in_its_name_is_that_file(photos: Path) -> None:
    (photos / "odd[1].jpg").write_bytes(b"x")
    assert relatives(photos / "odd[1].jpg") == ["odd[1].jpg"]


def test_a_picture_that_is_meant_twice_is_taken_once(photos: Path) -> None:
    assert relatives(photos, f"{photos}/b.jpg").count("b.jpg") == 1


def test_cutouts_are_not_cut_out_again(photos: Path) -> None:
    out = photos / "cutouts"
    out.mkdir()
    (out / "b.png").write_bytes(b"x")
    assert relatives(photos, out=out) == ["a.JPEG", "b.jpg", "sub/c.png"]


def test_a_folder_below_the_output_is_searched(photos: Path) -> None:
    assert relatives(photos, out=photos.parent) == ["a.JPEG", "b.jpg", "sub/c.png"]


def test_cutouts_may_not_lie_among_their_pictures(photos: Path) -> None:
    with pytest.raises(PlanError, match="would lie among its pictures"):
        relatives(photos, out=photos)
    with pytest.raises(PlanError, match="would lie among its pictures"):
        relatives(photos, photos / "sub", out=photos.parent)


@pytest.mark.parametrize(
    ("name", "fault"), [("none.jpg", "no such file or folder"), ("*.gif", "no file matches")]
)
def test_a_name_that_matches_nothing_is_an_error(photos: Path, name: str, fault: str) -> None:
    with pytest.raises(PlanError, match=fault):
        relatives(photos / name)


def test_a_folder_that_cannot_be_read_is_an_error_and_one_inside_is_counted(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root, every folder can be read: `os.scandir` refuses in its place."""
    scandir, locked = os.scandir, {str(photos / "sub")}

    def refuse(path: str) -> object:
        if str(path) in locked:
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", refuse)
    assert relatives(photos) == ["a.JPEG", "b.jpg"]
    others = find([str(photos)], OUT).others
    assert kinds_of(others)[str(photos / "sub")] == "unreadable"
    locked.add(str(photos))
    with pytest.raises(PlanError, match="photos cannot be read: Permission denied"):
        relatives(photos)


def test_a_dash_is_standard_input() -> None:
    (picture,) = find(["-"], OUT).pictures
    assert (picture.file.name, str(picture.relative)) == ("-", "stdin")


def test_pipes_and_devices_of_a_folder_are_left_out(photos: Path) -> None:
    os.mkfifo(photos / "pipe.jpg")
    (photos / "zero.png").symlink_to("/dev/zero")
    (photos / "link.png").symlink_to(photos / "b.jpg")
    assert relatives(photos, recursive=False) == ["a.JPEG", "b.jpg", "link.png"]
