"""Folders of this machine: listed with links followed, written by renaming a complete file."""

from __future__ import annotations

import glob
import os
import stat
import tempfile
import uuid
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from pathlib import Path

from bgremove.batch.stores import File, Store
from bgremove.imaging.probe.limits import read_within


class LocalStore(Store):
    """The file system of this machine. Links to files are followed, links to folders are not."""

    def is_folder(self, name: str) -> bool:
        """Return whether a name is that of a folder."""
        return os.path.isdir(name)

    def files(self, folder: str, *, recursive: bool) -> list[File]:
        """Return the regular files below a folder, without hidden ones.

        Pipes and devices are left out, even behind a link, because they may never end. A folder
        inside that cannot be read is returned as a file of 0 bytes.
        """
        os.scandir(folder).close()  # raises the error of a folder that cannot be read
        unreadable: list[str] = []
        names = _walk(folder, recursive, unreadable)
        found = [*_regular(names), *(File(name, 0, 0, name) for name in unreadable)]
        return sorted(found, key=lambda file: file.name)

    def matching(self, pattern: str) -> list[File]:
        """Return the regular files that match a pattern."""
        names = sorted(glob.glob(pattern, recursive=True))
        return list(_regular(str(Path(name)) for name in names))

    def look_up(self, names: Sequence[str], folders: Sequence[str]) -> list[File]:
        """Return the files of ``names`` that exist; a pipe or a device counts as a file."""
        del folders
        return [file for name in names if (file := _file(name)) is not None]

    def absolute(self, name: str) -> str:
        """Return the absolute path of a file."""
        return os.path.abspath(name)

    def resolved(self, name: str) -> str:
        """Return the absolute path of a file, with its links resolved."""
        return os.path.realpath(name)

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the content of a file; raises ImageError above ``max_bytes``."""
        with open(name, "rb") as file:
            return read_within(file, max_bytes)

    def write(self, name: str, data: bytes) -> None:
        """Write a hidden ``.part`` file in the same folder, then rename it.

        A run that is killed leaves at most this hidden file.
        """
        target = Path(name)
        _make_folder(target.parent)
        part = target.with_name(f".{uuid.uuid4().hex}.part")
        try:
            part.write_bytes(data)
            part.replace(target)
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def check_writable(self, folder: str) -> None:
        """Raise OSError if no file can be created in a folder, or in its first existing parent."""
        path = Path(folder).absolute()
        there = next(each for each in (path, *path.parents) if each.exists())
        try:
            tempfile.TemporaryFile(dir=there).close()
        except OSError as error:
            raise OSError(error.errno, error.strerror, str(there)) from error


def _walk(folder: str, recursive: bool, unreadable: list[str]) -> Iterator[str]:
    """Yield the names in a folder that are not folders and not hidden.

    Unlike os.walk of Python 3.11, it finds folders nested to any depth.
    """
    folders = [folder]
    while folders:
        here = folders.pop()
        try:
            with os.scandir(here) as entries:
                for entry in entries:
                    name = str(Path(here, entry.name))
                    if entry.name.startswith("."):
                        continue
                    if not _is_folder(entry):
                        yield name
                    elif recursive and not entry.is_symlink():
                        folders.append(name)
        except OSError:
            unreadable.append(here)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _make_folder(folder: Path) -> None:
    """Make a folder at any depth; Path.mkdir calls itself for each missing folder above."""
    missing = list(takewhile(lambda path: not path.exists(), (folder, *folder.parents)))
    for path in reversed(missing):
        path.mkdir(exist_ok=True)


def _regular(names: Iterable[str]) -> Iterator[File]:
    return (file for name in names if (file := _file(name, only_regular=True)) is not None)


def _file(name: str, *, only_regular: bool = False) -> File | None:
    try:
        about = os.stat(name)
    except OSError:
        return None
    if stat.S_ISDIR(about.st_mode) or (only_regular and not stat.S_ISREG(about.st_mode)):
        return None
    return File(name, about.st_size, about.st_mtime_ns, (about.st_dev, about.st_ino))
