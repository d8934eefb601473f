"""Which pictures a command line means: files as they are named, folders and patterns searched."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgremove.batch.records import STANDARD
from bgremove.errors import PlanError

# What is taken from a folder. A file that is named is taken whatever its name: content decides.
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".gif"})


@dataclass(frozen=True, slots=True)
class Found:
    """A picture, and the path it has below the output folder; None is standard input."""

    path: Path | None
    relative: Path


def find(names: Sequence[str], out: Path, *, recursive: bool = True) -> list[Found]:
    """Return the pictures that ``names`` mean, each once, in order.

    A folder gives the pictures in it, with their path below it; several folders (or patterns) keep
    their own names as well. Hidden files are left out, and so is what lies in ``out`` where that is
    a folder of a folder searched: cut-outs are not to be cut out again.

    Raises PlanError for a name that means nothing, and a folder whose cut-outs would lie in it.
    """
    several = sum(map(_is_searched, names)) > 1
    found: dict[Path | None, Found] = {}
    for name in names:
        for one in _found(name, out, recursive, several):
            found.setdefault(None if one.path is None else one.path.absolute(), one)
    return list(found.values())


def is_picture_name(path: Path) -> bool:
    """Tell whether a name passes for a picture's."""
    return path.suffix.lower() in SUFFIXES and not path.name.startswith(".")


def _is_searched(name: str) -> bool:
    return name != STANDARD and (os.path.isdir(name) or not os.path.lexists(name))


def _found(name: str, out: Path, recursive: bool, several: bool) -> Iterator[Found]:
    path = Path(name)
    if name == STANDARD:
        yield Found(None, Path("stdin"))
    elif not _is_searched(name):
        yield Found(path, Path(path.name))
    else:
        if path.is_dir():
            base, paths = path, sorted(_in_folder(path, recursive))
        else:
            base, paths = _matching(name)
        top = Path(base.resolve().name) if several else Path()
        _check_apart(base, out / top)
        hides_out = out.resolve() != base.resolve() and out.resolve().is_relative_to(base.resolve())
        for inner in paths:
            if not (hides_out and inner.resolve().is_relative_to(out.resolve())):
                yield Found(inner, top / inner.relative_to(base))


def _check_apart(base: Path, target: Path) -> None:
    if base.resolve() == target.resolve():
        raise PlanError(
            f"the cut-outs of {base} would lie among its pictures, and be taken for pictures the"
            " next time; choose another folder for them"
        )


def _in_folder(folder: Path, recursive: bool) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        paths = (Path(here, name) for name in files)
        # A pipe or a device, also behind a link, would be read without an end.
        yield from (path for path in paths if is_picture_name(path) and path.is_file())


def _matching(pattern: str) -> tuple[Path, list[Path]]:
    """Return the part of a pattern before its wildcards, and the files it matches."""
    if not glob.has_magic(pattern):
        hint = "; URLs need --engine dask" if "://" in pattern else ""
        raise PlanError(f"{pattern}: no such file or folder{hint}")
    parts = Path(pattern).parts
    wild = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    paths = [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]
    files = [path for path in paths if path.is_file()]
    if not files:
        raise PlanError(f"{pattern}: no file matches")
    return Path(*parts[:wild]), files
