"""Find the pictures of a command line: files, folders, patterns and addresses."""

from __future__ import annotations

import glob
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from bgremove.batch.records import STANDARD
from bgremove.batch.stores import File, fixed_part, folder_of, is_web, join, store_of
from bgremove.errors import PlanError
from bgremove.imaging.probe.kinds import FIRST_BYTES, kind_of, type_of
from bgremove.options import FILE_TYPES, OutputFormat

# Suffixes of the pictures in a folder. A file named on the command line may have any suffix.
SUFFIXES = frozenset({*FILE_TYPES, ".bmp", ".dib", ".gif"})
# Suffixes of pictures that are neither read nor written.
OTHER_PICTURES = frozenset({".avif", ".eps", ".heic", ".heif", ".ico", ".jp2", ".jxl", ".pdf"})
OTHER_PICTURES |= {".psd", ".svg", ".tga", ".tif", ".tiff"}
# Inserted before the suffix of a cut-out beside its picture: photo.cutout.png.
BESIDE = {
    OutputFormat.TRANSPARENT: ".cutout",
    OutputFormat.WHITE_BG: ".cutout-white",
    OutputFormat.MASK: ".cutout-mask",
    OutputFormat.CROP: ".cutout-crop",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture, and its path below the output folder."""

    file: File
    relative: PurePosixPath


@dataclass(frozen=True, slots=True)
class Found:
    """The pictures of a command line, and the other files in its folders."""

    pictures: list[Picture]
    others: list[str]


@dataclass(frozen=True, slots=True)
class _Searched:
    """The files that a name refers to; ``base`` is the searched folder, None for a single file."""

    base: str | None
    files: list[File]
    takes_all: bool = True  # files of a folder are taken by their suffix


def find(names: Sequence[str], out: str | None, *, recursive: bool = True) -> Found:
    """Return the pictures that ``names`` refer to, each once, in order.

    A folder yields the pictures in it, with their paths relative to it; with several folders (or
    patterns), each path starts with the folder's name. Hidden files are skipped. If ``out`` is
    inside a searched folder, its files are skipped too, so that cut-outs are not processed again.

    Args:
        names: Files, folders, patterns and addresses; ``-`` is standard input.
        out: The output folder; None if cut-outs are written beside their pictures.
        recursive: Whether folders inside folders are searched.

    Raises:
        PlanError: A name matches nothing or cannot be read, or a folder is its own output.

    """
    searched = [_search(name, recursive) for name in names]
    several = sum(each.base is not None for each in searched) > 1
    pictures: dict[str, Picture] = {}  # by absolute name: a picture named twice is processed once
    others = []
    for each in searched:
        for picture in _placed(each, out, several):
            name = picture.file.name
            if each.takes_all or is_picture_name(name):
                pictures.setdefault(store_of(name).absolute(name), picture)
            elif not is_cutout_name(name):
                others.append(name)
    return Found(list(pictures.values()), others)


def _search(name: str, recursive: bool) -> _Searched:
    store = store_of(name)
    try:
        if store.is_folder(name):
            return _Searched(name, store.files(name, recursive=recursive), takes_all=False)
        if files := store.look_up([name], [folder_of(name)]):
            return _Searched(None, files)
        if not glob.has_magic(name):
            raise PlanError(f"{name}: no such file or folder")
        files = store.matching(name)
    except OSError as error:
        raise PlanError(f"{name} cannot be read: {error.strerror or error}") from error
    except RecursionError as error:  # glob calls itself for each folder
        raise PlanError(f"{name}: its folders are nested too deeply for a pattern") from error
    if not files:
        raise PlanError(f"{name}: no file matches")
    return _Searched(fixed_part(name), files)


def _placed(searched: _Searched, out: str | None, several: bool) -> Iterator[Picture]:
    """Yield the files with their paths below the output, without those inside the output."""
    base = searched.base
    if base is None:
        yield from (Picture(file, _name_of(file.name)) for file in searched.files)
        return
    store = store_of(base)
    top = PurePosixPath(PurePosixPath(store.resolved(base)).name if several else "")
    hidden = None if out is None or out == STANDARD else _within(base, out, top)
    for file in searched.files:
        if hidden is None or not _is_below(store.resolved(file.name), hidden):
            yield Picture(file, top / _relative(file.name, base))


def _name_of(name: str) -> PurePosixPath:
    if name == STANDARD:
        return PurePosixPath("stdin")
    if is_web(name):
        name = unquote(urlsplit(name).path)
    return PurePosixPath(PurePosixPath(name).name or "picture")


def _relative(name: str, base: str) -> PurePosixPath:
    relative = PurePosixPath(name).relative_to(PurePosixPath(base))
    if ".." in relative.parts:  # of a pattern such as */../a.jpg
        raise PlanError(f"{name}: a path with .. would leave the output folder")
    return relative


def _within(base: str, out: str, top: PurePosixPath) -> str | None:
    """Return the resolved output folder if it is inside ``base``.

    Raises PlanError if the cut-outs would be written among the pictures.
    """
    here, there = store_of(base).resolved(base), store_of(out).resolved(out)
    if here == store_of(out).resolved(join(out, top)):
        raise PlanError(
            f"the cut-outs of {base} would lie among its pictures, and be taken for pictures the"
            " next time; choose another folder for them"
        )
    return there if here != there and _is_below(there, here) else None


def _is_below(name: str, folder: str) -> bool:
    return name.startswith(folder.rstrip("/") + "/")


def is_picture_name(name: str) -> bool:
    """Return whether a name is that of a picture, and not that of a cut-out beside a picture."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES and not is_cutout_name(name)


def is_cutout_name(name: str) -> bool:
    """Return whether a name is that of a cut-out beside its picture."""
    return PurePosixPath(PurePosixPath(name).stem).suffix in BESIDE.values()


def kinds_of(names: Iterable[str]) -> dict[str, str]:
    """Name the kinds of files that are not pictures, such as ``HEIC``.

    The first bytes tell the kind of a local file, the suffix that of another one.
    """
    return {name: _kind(name) for name in names}


def _kind(name: str) -> str:
    if "://" in name:
        return PurePosixPath(name).suffix[1:].upper() or "other"
    try:
        with open(name, "rb") as file:
            start = file.read(FIRST_BYTES)
    except OSError:
        return "unreadable"
    if (known := type_of(start)) is not None:
        return f"{known} under another name"
    return kind_of(start) or "other"
