from __future__ import annotations

import multiprocessing
import os
import stat
from pathlib import Path

import pytest

from bgremove.keys import edit
from bgremove.keys.ring import END, MAX_FILE_BYTES, FileFaultError, read_lines, ring_of_keys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.txt"


def ids(path: Path) -> list[str]:
    return [line.id for line in read_lines(path.read_bytes())]


def test_a_new_file_is_for_its_owner_alone_and_has_no_key_in_it(path: Path) -> None:
    key, line = edit.add(path, "Acme")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert key not in path.read_text()
    assert path.read_text() == f"{edit.HEADER}{line}\n{END}\n"
    assert ring_of_keys(path.read_bytes()).name_of(key.encode()) == line.id


def test_what_people_wrote_is_kept(path: Path) -> None:
    first = edit.add(path, "first")[1]
    path.write_text(f"# ours\n\n{first}   \n  # end, without a line's end")
    second = edit.add(path, "second")[1]
    text = f"# ours\n\n{first}   \n  # end, without a line's end\n{second}\n{END}\n"
    assert path.read_text() == text
    edit.revoke(path, "first")
    assert path.read_text() == text.replace(f"{first}   \n", "")


def test_the_line_that_ends_the_file_stays_the_last_one(path: Path) -> None:
    """Also after somebody appended a line by hand."""
    edit.add(path, "a")
    path.write_text(path.read_text() + "# by hand\n")
    edit.add(path, "b")
    edit.revoke(path, "a")
    lines = path.read_text().splitlines()
    assert lines[-1] == END
    assert lines.count(END) == 1
    assert "# by hand" in lines


def test_a_key_is_revoked_by_its_label_or_its_id(path: Path) -> None:
    made = [edit.add(path, label)[1] for label in ("a", "b", "c")]
    assert edit.revoke(path, "b").id == made[1].id
    assert edit.revoke(path, made[2].id).label == "c"
    assert ids(path) == [made[0].id]
    edit.revoke(path, "a")
    assert ids(path) == []


def test_the_files_mode_and_its_link_are_kept(path: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(path)
    edit.add(link, "a")
    path.chmod(0o640)
    edit.add(link, "b")
    assert link.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert len(ids(path)) == 2


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_the_files_owner_is_kept_when_root_changes_it(path: Path) -> None:
    edit.add(path, "a")
    os.chown(path, 1234, 1235)
    edit.add(path, "b")
    assert (path.stat().st_uid, path.stat().st_gid) == (1234, 1235)


def refused(path: Path, text: str, *, label: str = "new") -> str:
    """Try to add and to revoke; nothing may change and nothing may be left lying about."""
    path.write_text(text)
    with pytest.raises(FileFaultError) as caught:
        edit.add(path, label)
    with pytest.raises(FileFaultError):
        edit.revoke(path, "none")
    assert path.read_text() == text
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    return str(caught.value)


def test_a_faulty_file_is_left_as_it_is(path: Path) -> None:
    assert refused(path, "# fine\nnonsense\n").startswith("line 2: ")


def test_a_label_is_given_once(path: Path) -> None:
    line = edit.add(path, "a")[1]
    said = refused(path, path.read_text(), label="a")
    assert said == f"the label is taken, by {line.id}; labels tell keys apart"


def test_a_label_that_cannot_be_printed_is_refused(path: Path) -> None:
    assert "cannot be printed" in refused(path, "# none\n", label="a\x1b[2J")


def test_a_file_that_would_be_too_large_is_refused(path: Path) -> None:
    said = refused(path, "#" * (MAX_FILE_BYTES - 10) + "\n")
    assert said == "the file would pass the limit of 1,048,576 bytes"


def test_a_label_that_two_keys_have_is_revoked_by_id(path: Path) -> None:
    first, second = edit.add(path, "a")[1], edit.add(path, "b")[1]
    path.write_text(f"{first}\n{second}\n".replace(" b\n", " a\n"))
    with pytest.raises(FileFaultError, match=f"more than one key has it: {first.id}, {second.id}"):
        edit.revoke(path, "a")
    edit.revoke(path, second.id)
    assert ids(path) == [first.id]


def test_a_write_that_fails_leaves_the_old_file(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit.add(path, "a")
    before = path.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("bgremove.keys.edit.os.fsync", full)
    with pytest.raises(OSError, match="No space left"):
        edit.add(path, "b")
    assert path.read_bytes() == before
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def add_some(path: Path, name: str) -> None:
    for number in range(10):
        edit.add(path, f"{name} {number}")


def test_of_two_that_write_at_once_nothing_is_lost(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=add_some, args=(path, name)) for name in "abc"]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
        assert process.exitcode == 0
    labels = {line.label for line in read_lines(path.read_bytes())}
    assert labels == {f"{name} {number}" for name in "abc" for number in range(10)}
