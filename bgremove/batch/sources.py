"""Find the pictures of a command line: named files, folders and patterns."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from bgremove.batch.records import STANDARD
from bgremove.errors import PlanError
from bgremove.imaging.probe.kinds import FIRST_BYTES, kind_of, type_of
from bgremove.options import OutputFormat

# Suffixes of the pictures in a folder. A file named on the command line may have any suffix.
# Inserted before the suffix of a cut-out beside its picture: photo.cutout.png.
BESIDE = {
    OutputFormat.TRANSPARENT: ".cutout",
    OutputFormat.WHITE_BG: ".cutout-white",
    OutputFormat.MASK: ".cutout-mask",
    OutputFormat.CROP: ".cutout-crop",
}
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".gif"})


@dataclass(frozen=True, slots=True)
class Found:
    """A picture, and its path below the output folder.

    ``path`` is a path, an http or https URL, or None for standard input.
    """

    path: Path | str | None
    relative: Path


def find(names: Sequence[str], out: Path | None, *, recursive: bool = True) -> list[Found]:
    """Return the pictures that ``names`` refer to, each once, in order.

    ``out`` is the output folder; None if cut-outs are written beside their pictures.

    A folder yields the pictures in it, with their paths relative to it; with several folders (or
    patterns), each path starts with the folder's name. Hidden files are skipped. If ``out`` is
    inside a searched folder, its files are skipped too, so that cut-outs are not processed again.

    Raises PlanError for a name that matches nothing, and for a folder that is its own output.
    """
    several = sum(map(_is_searched, names)) > 1
    found: dict[Path | str | None, Found] = {}
    for name in names:
        for one in _found(name, out, recursive, several):
            key = one.path.absolute() if isinstance(one.path, Path) else one.path
            found.setdefault(key, one)
    return list(found.values())


def left_out(names: Sequence[str], *, recursive: bool = True) -> dict[Path, str]:
    """Return the files of folders without a picture's name, with their kinds.

    Hidden files and cut-outs are not included.
    """
    return {
        path: _kind(path)
        for name in names
        for path in (sorted(_files(Path(name), recursive)) if os.path.isdir(name) else ())
        if not (is_picture_name(path) or is_cutout_name(path) or path.name.startswith("."))
    }


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            start = file.read(FIRST_BYTES)
    except OSError:
        return "other"
    if (known := type_of(start)) is not None:
        return f"{known} under another name"
    return kind_of(start) or "other"


def is_picture_name(path: Path) -> bool:
    """Return whether a name is that of a picture, and not that of a cut-out beside a picture."""
    is_known = path.suffix.lower() in SUFFIXES and not path.name.startswith(".")
    return is_known and not is_cutout_name(path)


def is_cutout_name(path: Path) -> bool:
    """Return whether a name is that of a cut-out beside its picture."""
    return Path(path.stem).suffix in BESIDE.values()


def is_url(name: str) -> bool:
    """Return whether a name is the URL of a picture."""
    return name.startswith(("http://", "https://"))


def _is_searched(name: str) -> bool:
    if name == STANDARD or is_url(name):
        return False
    return os.path.isdir(name) or not os.path.lexists(name)


def _found(name: str, out: Path | None, recursive: bool, several: bool) -> Iterator[Found]:
    path = Path(name)
    if name == STANDARD:
        yield Found(None, Path("stdin"))
    elif is_url(name):
        yield Found(name, Path(Path(unquote(urlsplit(name).path)).name or "picture"))
    elif not _is_searched(name):
        yield Found(path, Path(path.name))
    else:
        if path.is_dir():
            base, paths = path, sorted(_in_folder(path, recursive))
        else:
            base, paths = _matching(name)
        top = Path(base.resolve().name) if several else Path()
        if out is not None:
            _check_apart(base, out / top)
        for inner in paths:
            if out is None or not _is_within_out(inner, out, base):
                yield Found(inner, top / inner.relative_to(base))


def _is_within_out(path: Path, out: Path, base: Path) -> bool:
    hides_out = out.resolve() != base.resolve() and out.resolve().is_relative_to(base.resolve())
    return hides_out and path.resolve().is_relative_to(out.resolve())


def _check_apart(base: Path, target: Path) -> None:
    if base.resolve() == target.resolve():
        raise PlanError(
            f"the cut-outs of {base} would lie among its pictures, and be taken for pictures the"
            " next time; choose another folder for them"
        )


def _in_folder(folder: Path, recursive: bool) -> Iterator[Path]:
    return filter(is_picture_name, _files(folder, recursive))


def _files(folder: Path, recursive: bool) -> Iterator[Path]:
    for here, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if recursive and not name.startswith(".")]
        # A pipe or a device, even behind a link, may never end.
        yield from (path for name in files if (path := Path(here, name)).is_file())


def _matching(pattern: str) -> tuple[Path, list[Path]]:
    """Return the part of a pattern before its wildcards, and the files it matches."""
    if not glob.has_magic(pattern):
        hint = "; other addresses than http need --engine dask" if "://" in pattern else ""
        raise PlanError(f"{pattern}: no such file or folder{hint}")
    parts = Path(pattern).parts
    wild = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    paths = [Path(match) for match in sorted(glob.glob(pattern, recursive=True))]
    files = [path for path in paths if path.is_file()]
    if not files:
        raise PlanError(f"{pattern}: no file matches")
    return Path(*parts[:wild]), files
