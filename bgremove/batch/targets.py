"""Plan where cut-outs are written: unique names, below a folder or beside the pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePosixPath

from bgremove.batch.records import STANDARD
from bgremove.batch.sources import BESIDE, OTHER_PICTURES, SUFFIXES, Picture
from bgremove.batch.stores import folder_of, is_web, join, store_of
from bgremove.errors import PlanError
from bgremove.options import ENCODINGS, FILE_TYPES, Encoding, Options, OutputFormat


def targets(pictures: Sequence[Picture], out: str | None, options: Options) -> list[str]:
    """Return the name of the cut-out of each picture.

    Args:
        pictures: The pictures.
        out: A file, a folder, ``-`` for standard output, or None for a name beside each picture.
        options: The options of the removal; they decide the file type.

    Raises:
        PlanError: ``out`` cannot hold the cut-outs, or two of them would share a name.

    """
    if out is None:
        return _beside(pictures, options)
    if out == STANDARD and len(pictures) != 1:
        raise PlanError(f"standard output takes one picture, not {len(pictures)}")
    if is_web(out):
        raise PlanError(f"{out}: a web server takes no cut-outs; give a folder, a file or a store")
    if out == STANDARD:
        return [out]
    if len(pictures) == 1 and means_file(out):
        _check_file_type(out, options)
        return [out]
    if means_file(out) or store_of(out).look_up([out], [folder_of(out)]):
        needed = f"{len(pictures)} pictures need a folder"
        if len(pictures) == 1:
            needed = f"a cut-out needs a folder, or a name that ends in {options.suffix}"
        raise PlanError(f"{out} names a file: {needed}")
    names = target_names([picture.relative for picture in pictures], options.suffix)
    return [join(out, name) for name in names]


def _beside(pictures: Sequence[Picture], options: Options) -> list[str]:
    """Name the cut-outs ``photo.cutout.png``; those of web pictures go into the current folder."""
    names = [picture.file.name for picture in pictures]
    if STANDARD in names:
        raise PlanError("standard input has no name: give the name of its cut-out with -o")
    paths = [
        picture.relative if is_web(picture.file.name) else PurePosixPath(picture.file.name)
        for picture in pictures
    ]
    suffix = BESIDE[options.output_format] + options.suffix
    # PurePosixPath writes the `s3://` of a store as `s3:/`.
    return [
        str(path) if "://" not in name or is_web(name) else str(path).replace(":/", "://", 1)
        for name, path in zip(names, target_names(paths, suffix), strict=True)
    ]


def means_file(out: str) -> bool:
    """Return whether ``out`` is the name of a picture, writable or not, and not of a folder."""
    is_picture = PurePosixPath(out).suffix.lower() in SUFFIXES | OTHER_PICTURES
    return is_picture and not out.endswith("/") and not store_of(out).is_folder(out)


def target_names(relatives: Sequence[PurePosixPath], suffix: str) -> list[PurePosixPath]:
    """Name the cut-outs: ``a.jpg`` gives ``a.png``.

    If two pictures would share a name, both keep their full names: ``a.jpg.png``. Names that differ
    only in case count as the same, because some file systems ignore case, unless the names of the
    pictures themselves differ only in case. Raises PlanError if two have the same path.
    """
    names = [_short(relative, suffix) for relative in relatives]
    is_short = [True] * len(names)
    while True:
        claims = Counter(map(_key, names))
        clashing = [i for i, name in enumerate(names) if claims[_key(name)] > 1]
        if not clashing:
            return names
        if not any(is_short[i] for i in clashing):
            _check_paths_differ([relatives[i] for i in clashing])
            return names
        for i in clashing:
            names[i] = relatives[i].with_name(relatives[i].name + suffix)
            is_short[i] = False


def _short(relative: PurePosixPath, suffix: str) -> PurePosixPath:
    is_known = relative.suffix.lower() in SUFFIXES
    return relative.with_name((relative.stem if is_known else relative.name) + suffix)


def _key(name: PurePosixPath) -> str:
    return str(name).casefold()


def _check_paths_differ(relatives: Sequence[PurePosixPath]) -> None:
    for relative, times in Counter(relatives).items():
        if times > 1:
            raise PlanError(
                f"two pictures are both called {relative} and would share an output;"
                " name the folder above them instead, which keeps their folders"
            )


def _check_file_type(target: str, options: Options) -> None:
    suffix, made = PurePosixPath(target).suffix, options.output_format
    named = FILE_TYPES.get(suffix.lower())
    if named is options.file_type:
        return
    if named is None:
        writable = ", ".join(end for end, kind in FILE_TYPES.items() if kind in ENCODINGS[made])
        raise PlanError(
            f"{target}: cut-outs are not written as {suffix}; end the name in one of {writable}"
        )
    kind = options.suffix[1:].upper()
    fault = f"{target}: the cut-out is a {kind}; its name must end in {options.suffix}"
    if named is Encoding.JPEG and made in (OutputFormat.TRANSPARENT, OutputFormat.CROP):
        fault += ". A JPEG has no transparency; for one on white, add --format white_bg"
    raise PlanError(fault)
