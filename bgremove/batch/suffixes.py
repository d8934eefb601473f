"""Suffixes by which pictures and cut-outs are recognised."""

from __future__ import annotations

from pathlib import PurePosixPath

from bgremove.options import OutputFormat

# Suffixes of the pictures in a folder. A file named on the command line may have any suffix.
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".dib", ".webp", ".gif"})
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
