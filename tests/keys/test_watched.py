from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import pytest

from bgremove.errors import SettingsError
from bgremove.keys import watched
from bgremove.keys.ring import END, MAX_FILE_BYTES, KeyRing, new_key, ring_of_keys
from bgremove.keys.watched import HEAD, LOOK_EVERY_S, STABLE_S, LastGood, WatchedFile, last_good_of

LONG_AGO = 1_700_000_000


class Clock:
    """Time that passes when it is told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.txt"


@pytest.fixture
def messages() -> Iterator[Callable[[], list[str]]]:
    """Give what returns the messages logged, with their causes."""
    records: list[logging.LogRecord] = []
    handler = logging.Handler()
    handler.emit = records.append  # type: ignore[method-assign, assignment]
    logger = logging.getLogger("bgremove.keys.watched")
    level = logger.level
    logger.setLevel("DEBUG")
    logger.addHandler(handler)
    yield lambda: [f"{r.levelname} {r.getMessage()} {vars(r).get('cause', '')}" for r in records]
    logger.removeHandler(handler)
    logger.setLevel(level)


def written(path: Path, *labels: str, end: str = f"{END}\n") -> list[bytes]:
    """Write a file with new keys for these labels; return the keys."""
    made = [new_key(label, date(2026, 11, 22), frozenset()) for label in labels]
    path.write_text("# keys\n" + "".join(f"{line}\n" for _, line in made) + end)
    return [key.encode() for key, _ in made]


def watch(path: Path, clock: Clock) -> WatchedFile:
    return WatchedFile(path, ring_of_keys, "BGREMOVE_API_KEYS_FILE", clock)


def test_a_change_is_seen_after_a_second_and_not_before(path: Path, clock: Clock) -> None:
    (old,) = written(path, "old")
    file = watch(path, clock)
    (new,) = written(path, "new")
    assert file.ring.name_of(old)
    clock.now += LOOK_EVERY_S
    assert file.ring.name_of(old) is None
    assert file.ring.name_of(new)


def test_a_file_put_in_the_place_of_the_old_one_is_seen(path: Path, clock: Clock) -> None:
    written(path, "old")
    file = watch(path, clock)
    (new,) = written(path.with_name("new"), "new")
    os.replace(path.with_name("new"), path)
    clock.now += LOOK_EVERY_S
    assert file.ring.name_of(new)


def test_a_file_that_has_not_changed_is_not_read_again(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    written(path, "a")
    monkeypatch.setattr(watched, "SETTLED_NS", -1)
    reads = []

    def read(data: bytes) -> KeyRing:
        reads.append(1)
        return ring_of_keys(data)

    file = WatchedFile(path, read, "X", clock)
    for _ in range(3):
        clock.now += LOOK_EVERY_S
        assert len(file.ring) == 1
    assert len(reads) == 1


def test_a_second_change_within_a_tick_of_the_files_clock_is_seen(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a file system counts seconds: other keys, and nothing else tells."""
    monkeypatch.setattr(watched, "_signature", lambda _: (1,))
    (old,) = written(path, "one")
    file = watch(path, clock)
    (new,) = written(path, "two")
    clock.now += LOOK_EVERY_S
    assert file.ring.name_of(old) is None
    assert file.ring.name_of(new)


def test_a_change_that_sets_the_old_time_back_is_seen(
    path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched, "SETTLED_NS", -1)
    written(path, "one")
    os.utime(path, (LONG_AGO, LONG_AGO))
    file = watch(path, clock)
    (new,) = written(path, "two")
    os.utime(path, (LONG_AGO, LONG_AGO))
    clock.now += LOOK_EVERY_S
    assert file.ring.name_of(new)


def broken(path: Path) -> None:
    path.write_text("nonsense\n")


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def gone(path: Path) -> None:
    path.unlink()


def a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def a_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def huge(path: Path) -> None:
    path.write_bytes(b"#" * (MAX_FILE_BYTES + 1))


def a_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


FAULTS: dict[Callable[[Path], None], str] = {
    broken: "line 1: 1 parts, not 4: id, date, hash, label",
    emptied: "the file is empty; one without keys holds at least a comment",
    gone: "No such file or directory",
    a_folder: "no regular file",
    a_pipe: "no regular file",
    huge: "more than the limit of 1,048,576 bytes",
    a_loop: "Too many levels of symbolic links",
}


@pytest.mark.parametrize("damage", FAULTS)
def test_damage_leaves_the_last_good_keys_in_force_and_is_said_once(
    path: Path,
    clock: Clock,
    damage: Callable[[Path], None],
    messages: Callable[[], list[str]],
) -> None:
    (old,) = written(path, "old")
    file = watch(path, clock)
    damage(path)
    for _ in range(3):
        clock.now += LOOK_EVERY_S
        assert file.ring.name_of(old)
        assert file.ring.name_of(b"nonsense") is None
    assert file.fault == FAULTS[damage]
    said = "BGREMOVE_API_KEYS_FILE cannot be used; the last good keys stay in force"
    assert messages() == [f"ERROR {said} {FAULTS[damage]}"]


@pytest.mark.parametrize("damage", FAULTS)
def test_damage_at_the_start_stops_it(
    path: Path, clock: Clock, damage: Callable[[Path], None]
) -> None:
    path.touch()
    damage(path)
    with pytest.raises(SettingsError) as caught:
        watch(path, clock)
    assert caught.value.faults == (f"BGREMOVE_API_KEYS_FILE={path}: {FAULTS[damage]}",)


def test_a_mended_file_is_in_force_again(
    path: Path, clock: Clock, messages: Callable[[], list[str]]
) -> None:
    written(path, "old")
    file = watch(path, clock)
    broken(path)
    clock.now += LOOK_EVERY_S
    assert file.fault  # asked first: `/readyz` need not wait for a request with a key
    (new,) = written(path, "new")
    clock.now += LOOK_EVERY_S
    assert file.ring.name_of(new)
    assert file.fault is None
    assert messages()[-1] == "INFO BGREMOVE_API_KEYS_FILE read again "


def test_a_file_away_for_a_while_is_no_fault_any_more(
    tmp_path: Path, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As a disk not mounted: the file itself comes back as it was, to the nanosecond."""
    monkeypatch.setattr(watched, "SETTLED_NS", -1)
    disk = tmp_path / "disk"
    disk.mkdir()
    written(disk / "keys.txt", "a")
    file = watch(disk / "keys.txt", clock)
    disk.rename(tmp_path / "away")
    clock.now += LOOK_EVERY_S
    assert file.fault
    (tmp_path / "away").rename(disk)
    clock.now += LOOK_EVERY_S
    assert file.fault is None


def test_who_starts_later_on_a_broken_file_goes_by_what_was_read_last(
    path: Path, clock: Clock, messages: Callable[[], list[str]]
) -> None:
    """As a new worker does: not by what its parent read at its own start, of which one is gone."""
    _, revoked = written(path, "kept", "revoked")
    parent = watch(path, clock)
    (kept,) = written(path, "kept")
    clock.now += LOOK_EVERY_S
    assert parent.ring.name_of(kept)
    gone(path)
    worker = watch(path, clock)
    assert worker.ring.name_of(kept)
    assert worker.ring.name_of(revoked) is None
    assert worker.fault == "No such file or directory"
    assert len([line for line in messages() if line.startswith("ERROR")]) == 1


def test_while_one_thread_looks_the_others_do_not_wait(path: Path, clock: Clock) -> None:
    (old,) = written(path, "old")
    file = watch(path, clock)
    written(path, "new")
    clock.now += LOOK_EVERY_S
    with file._lock:
        assert file.ring.name_of(old)
    assert file.ring.name_of(old) is None


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_file_cut_short_at_the_end_of_a_line_is_not_believed(
    path: Path, clock: Clock, kept: int
) -> None:
    """As while an editor or a copy writes it in place, or after the disk was full."""
    keys = written(path, "a", "b", "c")
    file = watch(path, clock)
    whole = path.read_text()
    path.write_text("".join(whole.splitlines(keepends=True)[: 1 + kept]))
    for _ in range(3):
        clock.now += 10 * STABLE_S
        assert all(file.ring.name_of(key) for key in keys)
    assert file.fault is not None
    assert file.fault.startswith(f"{3 - kept} of 3 keys in force are missing, and the line")
    path.write_text(whole)
    clock.now += LOOK_EVERY_S
    assert len(file.ring) == 3
    assert file.fault is None


def test_a_file_without_its_end_must_rest_before_keys_are_lost(path: Path, clock: Clock) -> None:
    keys = written(path, "a", "b", "c", end="")
    file = watch(path, clock)
    lines = path.read_text().splitlines(keepends=True)
    for count in (1, 2, 3):  # still being written, a line in less than the time of rest
        path.write_text("".join(lines[:count]))
        clock.now += STABLE_S - LOOK_EVERY_S
        assert all(file.ring.name_of(key) for key in keys)
        assert file.fault is not None
        assert "must stay unchanged for 10 seconds" in file.fault
    clock.now += STABLE_S
    assert [bool(file.ring.name_of(key)) for key in keys] == [True, True, False]
    assert file.fault is None


def test_more_keys_are_in_force_at_once_without_an_end(path: Path, clock: Clock) -> None:
    (old,) = written(path, "old", end="")
    file = watch(path, clock)
    before = path.read_text()
    (new,) = written(path, "new", end="")
    path.write_text(before + path.read_text())
    clock.now += LOOK_EVERY_S
    assert file.ring.name_of(old)
    assert file.ring.name_of(new)


@pytest.mark.parametrize("end", ["", f"{END}\n"])
def test_a_worker_that_starts_while_the_file_is_written_knows_all_keys(
    path: Path, clock: Clock, end: str
) -> None:
    keys = written(path, "a", "b", end=end)
    watch(path, clock)
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:2]))
    worker = watch(path, clock)
    assert all(worker.ring.name_of(key) for key in keys)
    assert worker.fault is not None


def test_what_is_kept_is_given_back() -> None:
    room = LastGood(100)
    assert room.content() is None
    for content in (b"long content", b"short", b"", bytes(100)):
        room.keep(content)
        assert room.content() == content


def test_a_torn_copy_is_none() -> None:
    room = LastGood(100)
    room.keep(b"content")
    room._memory[HEAD.size] ^= 1
    assert room.content() is None


def test_what_a_child_keeps_its_parent_sees(tmp_path: Path) -> None:
    room = last_good_of(tmp_path / "keys", 100)
    room.keep(b"of the parent")
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        inherited = last_good_of(tmp_path / "keys", 100)
        os.write(write, inherited.content() or b"nothing")
        inherited.keep(b"of the child")
        os._exit(0)
    assert os.waitpid(pid, 0)[1] == 0
    assert os.read(read, 100) == b"of the parent"
    assert room.content() == b"of the child"
    os.close(read)
    os.close(write)


def test_each_file_has_its_own_room(tmp_path: Path) -> None:
    assert last_good_of(tmp_path / "a", 10) is last_good_of(tmp_path / "a", 10)
    assert last_good_of(tmp_path / "a", 10) is not last_good_of(tmp_path / "b", 10)
