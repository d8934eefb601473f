"""Stores that fsspec opens: S3, GCS, Azure, SFTP and others, each with a package of its own."""

from __future__ import annotations

import contextlib
import posixpath
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from bgremove.batch.stores import File, Store, fixed_part
from bgremove.errors import BgremoveError, PlanError
from bgremove.imaging.probe.limits import read_within

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

PACKAGES = {"s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs"}
PACKAGES |= {"abfs": "adlfs", "abfss": "adlfs", "sftp": "paramiko", "ssh": "paramiko"}
CHANGED = ("mtime", "LastModified", "last_modified", "updated", "created")  # one for each store
FEW = 20  # files that are looked up one by one; more are found by listing their folders
NS = 1_000_000_000


def open_store(name: str) -> FsspecStore:
    """Return the store of a URL; raises PlanError that names a missing package."""
    scheme = name.partition("://")[0]
    try:
        import fsspec

        fs, path = fsspec.core.url_to_fs(name)
    except ImportError as error:
        package = PACKAGES.get(scheme, "fsspec")
        fault = f"{name}: reading {scheme}:// needs another package: pip install {package}"
        raise PlanError(f"{fault} ({error})") from error
    except Exception as error:  # every store has its own exceptions
        raise PlanError(f"{name}: {error or repr(error)}") from error
    path = path.rstrip("/")
    return FsspecStore(fs, name.rstrip("/").removesuffix(path))


@dataclass(frozen=True)
class FsspecStore(Store):
    """A file system of fsspec. A name is ``before`` and the path of a file within it."""

    fs: AbstractFileSystem
    before: str

    def is_folder(self, name: str) -> bool:
        """Return whether a name is that of a folder."""
        with _os_errors():
            return bool(self.fs.isdir(self._path(name)))

    def files(self, folder: str, *, recursive: bool) -> list[File]:
        """Return the files below a folder, without hidden ones; none if there is no folder."""
        path = self._path(folder)
        with _os_errors():
            found = self.fs.find(path, maxdepth=None if recursive else 1, detail=True)
        return self._visible(found, path)

    def matching(self, pattern: str) -> list[File]:
        """Return the files that match a pattern."""
        with _os_errors():
            found = self.fs.glob(self._path(pattern), detail=True)
        return self._visible(found, self._path(fixed_part(pattern)))

    def look_up(self, names: Sequence[str], folders: Sequence[str]) -> list[File]:
        """Return the files of ``names`` that exist; all names are in or below ``folders``."""
        if len(names) > FEW:
            wanted = set(names)
            below = (file for each in folders for file in self.files(each, recursive=True))
            return [file for file in below if file.name in wanted]
        found = []
        for name in names:
            with _os_errors(), contextlib.suppress(FileNotFoundError):
                about = self.fs.info(self._path(name))
                if about["type"] == "file":
                    found.append(self._file(self._path(name), about))
        return found

    def read(self, name: str, max_bytes: int) -> bytes:
        """Return the content of a file; raises ImageError above ``max_bytes``."""
        with _os_errors(), self.fs.open(self._path(name), "rb") as file:
            return read_within(file, max_bytes)

    def write(self, name: str, data: bytes) -> None:
        """Write a file: as one object, or in a file system by renaming a hidden ``.part`` file."""
        path = self._path(name)
        folder = posixpath.dirname(path)
        with _os_errors():
            if _is_object_store(self.fs):  # needs no folder; `makedirs` would create a bucket
                self.fs.pipe_file(path, data)
            else:
                self.fs.makedirs(folder, exist_ok=True)
                self._write_and_rename(path, posixpath.join(folder, _part()), data)

    def _write_and_rename(self, path: str, part: str, data: bytes) -> None:
        try:
            self.fs.pipe_file(part, data)
            with contextlib.suppress(FileNotFoundError):
                self.fs.rm_file(path)  # not every store can rename onto a file
            self.fs.mv(part, path)
        except BaseException:
            with contextlib.suppress(Exception):
                self.fs.rm_file(part)
            raise

    def _path(self, name: str) -> str:
        return name.rstrip("/").removeprefix(self.before)

    def _visible(self, found: Mapping[str, Mapping[str, Any]], base: str) -> list[File]:
        return [
            self._file(path, about)
            for path, about in found.items()
            if about["type"] == "file"
            and not any(part.startswith(".") for part in posixpath.relpath(path, base).split("/"))
        ]

    def _file(self, path: str, about: Mapping[str, Any]) -> File:
        name = self.before + path
        return File(name, about.get("size") or 0, _changed_ns(about), name)


def _part() -> str:
    return f".{uuid.uuid4().hex}.part"


def _is_object_store(fs: AbstractFileSystem) -> bool:
    """Return whether a file appears only when it is completely written."""
    from fsspec.asyn import AsyncFileSystem
    from fsspec.implementations.memory import MemoryFileSystem

    return isinstance(fs, (AsyncFileSystem, MemoryFileSystem))


def _changed_ns(about: Mapping[str, Any]) -> int:
    """Return the time of a file's last change in nanoseconds; 0 where the store has none."""
    for key in CHANGED:
        value = about.get(key)
        if isinstance(value, datetime):
            return int(value.timestamp() * NS)
        if isinstance(value, (int, float)):
            return int(value * NS)
    return 0


@contextlib.contextmanager
def _os_errors() -> Iterator[None]:
    """Turn the exceptions of a store's driver into OSError."""
    try:
        yield
    except (OSError, BgremoveError):
        raise
    except Exception as error:  # every driver has its own exceptions
        raise OSError(None, str(error) or repr(error)) from error
