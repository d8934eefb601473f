"""Pictures in stores that fsspec knows (S3, GCS, folders): found, named, read, written whole."""

from __future__ import annotations

import glob
import os
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import fsspec
from fsspec import AbstractFileSystem
from fsspec.implementations.local import LocalFileSystem

from bgremove.batch.files import read_within
from bgremove.batch.records import Outcome, Record, Status
from bgremove.batch.sources import is_picture_name
from bgremove.batch.targets import target_names
from bgremove.errors import PlanError


@dataclass(frozen=True, slots=True)
class StoreJob:
    """One picture: the URLs where it is read and where its cut-out goes."""

    source: str
    target: str
    is_finished: bool = False

    def outcome(self, status: Status, ms: int = 0, record: Record | None = None) -> Outcome:
        """Return what became of it."""
        return Outcome(self.source, self.target, status, ms, record or Record())


def plan(
    names: Sequence[str], out: str, suffix: str, *, recursive: bool = True, overwrite: bool = False
) -> list[StoreJob]:
    """Say which pictures ``names`` mean (folders, patterns, files) and where each cut-out goes.

    A cut-out that is there and not empty counts as finished, unless ``overwrite``: stores do not
    agree about the age of things. Raises PlanError for what no store has or knows.
    """
    try:
        found = [one for name in names for one in _found(name, out, recursive, len(names) > 1)]
        store, top = fsspec.core.url_to_fs(out)
        sizes = {} if overwrite else store.find(top, detail=True)
    except (ImportError, OSError, ValueError) as error:
        raise PlanError(f"{', '.join(names)} to {out}: {error}") from error
    there = {path for path, about in sizes.items() if about["size"]}
    targets = [
        posixpath.join(top, name)
        for name in target_names([relative for _, relative in found], suffix)
    ]
    return [
        StoreJob(source, store.unstrip_protocol(target), target in there)
        for (source, _), target in zip(found, targets, strict=True)
    ]


def read(url: str, max_bytes: int) -> bytes:
    """Return the bytes of a picture; raises ImageError above ``max_bytes``, and OSError."""
    with fsspec.open(url, "rb") as file:
        return read_within(file, max_bytes)


def write(url: str, data: bytes) -> None:
    """Write a cut-out whole: a store takes an object at once, a folder a file that is renamed.

    Raises OSError.
    """
    store, path = fsspec.core.url_to_fs(url)
    store.makedirs(posixpath.dirname(path), exist_ok=True)
    if isinstance(store, LocalFileSystem):
        part = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.{os.getpid()}")
        store.pipe_file(part, data)
        os.replace(part, path)
    else:
        store.pipe_file(path, data)


def _found(name: str, out: str, recursive: bool, several: bool) -> Iterator[tuple[str, Path]]:
    """Yield the URL of each picture that a name means, and its path below the output."""
    store, top = fsspec.core.url_to_fs(name)
    if store.isfile(top):
        yield store.unstrip_protocol(top), Path(posixpath.basename(top))
        return
    base, paths = _listed(store, top, recursive)
    hidden = _below(out, store, base, name)
    above = Path(posixpath.basename(base) if several else "")
    chosen = [
        (path, relative)
        for path in paths
        if is_picture_name(relative := Path(posixpath.relpath(path, base)))
        and not any(part.startswith(".") for part in relative.parts)
        and (hidden is None or not path.startswith(hidden))
    ]
    if not chosen:
        raise PlanError(f"{name}: no pictures there")
    for path, relative in chosen:
        yield store.unstrip_protocol(path), above / relative


def _listed(store: AbstractFileSystem, top: str, recursive: bool) -> tuple[str, list[str]]:
    """Return a folder, or the part of a pattern before its wildcards, and the files it means."""
    if not glob.has_magic(top):
        return top.rstrip("/"), sorted(store.find(top, maxdepth=None if recursive else 1))
    parts = top.split("/")
    wild = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    return "/".join(parts[:wild]), sorted(path for path in store.glob(top) if store.isfile(path))


def _below(out: str, store: AbstractFileSystem, base: str, name: str) -> str | None:
    """Return how the paths of cut-outs begin where those lie in a folder of the pictures'."""
    target_store, path = fsspec.core.url_to_fs(out)
    if type(store) is not type(target_store):
        return None
    if path.rstrip("/") == base:
        raise PlanError(f"the cut-outs of {name} would lie among its pictures; name another folder")
    target: str = path.rstrip("/") + "/"
    return target if target.startswith(base + "/") else None
