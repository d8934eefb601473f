"""Files in stores that fsspec knows (S3, GCS, folders): listed, read, and written whole."""

from __future__ import annotations

import contextlib
import os
import posixpath
import uuid
from dataclasses import dataclass

import fsspec
from fsspec import AbstractFileSystem
from fsspec.asyn import AsyncFileSystem
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from bgremove.batch.files import read_within

# A whole object appears at once in these; elsewhere a file is written beside its place and renamed.
OBJECT_STORES = (AsyncFileSystem, MemoryFileSystem)


@dataclass(frozen=True, slots=True)
class Place:
    """A file, folder or pattern. ``url`` is what others open it by; neither ends in a slash."""

    store: AbstractFileSystem
    path: str
    url: str

    def below(self, path: str) -> Place:
        """Return what lies below, by its path relative to this one."""
        return Place(self.store, f"{self.path}/{path}", f"{self.url}/{path}")

    def files(self, *, recursive: bool = True) -> dict[str, int]:
        """Return the files of a folder, by their path relative to it, with their bytes."""
        found = self.store.find(self.path, maxdepth=None if recursive else 1, detail=True)
        return {posixpath.relpath(path, self.path): about["size"] for path, about in found.items()}


def read(url: str, max_bytes: int) -> bytes:
    """Return the bytes of a picture; raises ImageError above ``max_bytes``, and OSError."""
    with fsspec.open(url, "rb") as file:
        return read_within(file, max_bytes)


def write(url: str, data: bytes) -> None:
    """Write a cut-out; under its name there is the whole of it or nothing new. Raises OSError."""
    target = place_of(url)
    folder, name = posixpath.split(target.path)
    target.store.makedirs(folder, exist_ok=True)
    if isinstance(target.store, OBJECT_STORES):
        target.store.pipe_file(target.path, data)
        return
    part = posixpath.join(folder, f".{name}.{uuid.uuid4().hex}.part")
    try:
        target.store.pipe_file(part, data)
        if isinstance(target.store, LocalFileSystem):
            os.replace(part, target.path)
        else:
            with contextlib.suppress(FileNotFoundError):
                target.store.rm_file(target.path)  # not every store renames onto what is there
            target.store.mv(part, target.path)
    except BaseException:
        with contextlib.suppress(OSError):
            target.store.rm_file(part)
        raise


def place_of(url: str) -> Place:
    """Return what a name means; a path of this machine is made absolute, without links."""
    store, path = fsspec.core.url_to_fs(url)
    if isinstance(store, LocalFileSystem):
        path = os.path.realpath(path)
        url = f"file://{path}"
    return Place(store, path.rstrip("/"), url.rstrip("/"))
