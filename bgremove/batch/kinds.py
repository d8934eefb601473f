"""The kinds of files: pictures and cut-outs by their names, others by their first bytes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath

from bgremove.imaging.probe.kinds import FIRST_BYTES, kind_of, type_of
from bgremove.options import FILE_TYPES, OutputFormat

# Suffixes of the pictures in a folder. A file named on the command line may have any suffix.
SUFFIXES = frozenset({*FILE_TYPES, ".bmp", ".dib", ".gif"})
# Inserted before the suffix of a cut-out beside its picture: photo.cutout.png.
BESIDE = {
    OutputFormat.TRANSPARENT: ".cutout",
    OutputFormat.WHITE_BG: ".cutout-white",
    OutputFormat.MASK: ".cutout-mask",
    OutputFormat.CROP: ".cutout-crop",
}


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
