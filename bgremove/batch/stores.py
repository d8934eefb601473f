"""List, read and atomically write files in the stores of fsspec (S3, GCS, folders)."""

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

# These stores write an object atomically; elsewhere a temporary file is written and renamed.
OBJECT_STORES = (AsyncFileSystem, MemoryFileSystem)


@dataclass(frozen=True, slots=True)
class Place:
    """A file, folder or pattern. ``url`` opens it in other programs; neither ends in a slash."""

    store: AbstractFileSystem
    path: str
    url: str

    def below(self, path: str) -> Place:
        """Return the place at a path relative to this one."""
        return Place(self.store, f"{self.path}/{path}", f"{self.url}/{path}")

    def files(self, *, recursive: bool = True) -> dict[str, int]:
        """Return the files of a folder: paths relative to it, and sizes in bytes."""
        found = self.store.find(self.path, maxdepth=None if recursive else 1, detail=True)
        return {posixpath.relpath(path, self.path): about["size"] for path, about in found.items()}


def read(url: str, max_bytes: int) -> bytes:
    """Return the bytes of a picture; raises ImageError above ``max_bytes``, and OSError."""
    with fsspec.open(url, "rb") as file:
        return read_within(file, max_bytes)


def write(url: str, data: bytes) -> None:
    """Write a cut-out atomically. Raises OSError."""
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
                target.store.rm_file(target.path)  # not every store can rename onto a file
            target.store.mv(part, target.path)
    except BaseException:
        with contextlib.suppress(OSError):
            target.store.rm_file(part)
        raise


def place_of(url: str) -> Place:
    """Return the place of a name; a local path is made absolute, with links resolved."""
    store, path = fsspec.core.url_to_fs(url)
    if isinstance(store, LocalFileSystem):
        path = os.path.realpath(path)
        url = f"file://{path}"
    return Place(store, path.rstrip("/"), url.rstrip("/"))
