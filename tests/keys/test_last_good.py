import os
from pathlib import Path

from bgremove.keys.last_good import HEAD, LastGood, last_good_of


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
