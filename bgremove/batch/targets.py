"""Plan where cut-outs are written: unique names, and no picture is overwritten."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bgremove.batch.records import STANDARD, Job
from bgremove.batch.sources import BESIDE, SUFFIXES, Found
from bgremove.errors import PlanError
from bgremove.options import Options


def plan(found: Sequence[Found], out: str, suffix: str, *, overwrite: bool = False) -> list[Job]:
    """Assign each picture the target of its cut-out: ``out`` is a file, a folder, or ``-``.

    Raises PlanError if ``out`` cannot hold the cut-outs, if two would share a name, or if one would
    overwrite a picture.
    """
    if out == STANDARD and len(found) != 1:
        raise PlanError(f"standard output takes one picture, not {len(found)}")
    if out == STANDARD or (len(found) == 1 and means_file(out)):
        target = None if out == STANDARD else Path(out)
        check_suffix(target, suffix)
        jobs = [Job(found[0].path, target, may_skip=not overwrite)]
    else:
        if means_file(out) or (os.path.lexists(out) and not os.path.isdir(out)):
            raise PlanError(f"{out} names a file: {len(found)} pictures need a folder")
        names = target_names([one.relative for one in found], suffix)
        jobs = [
            Job(one.path, Path(out, name), may_skip=not overwrite)
            for one, name in zip(found, names, strict=True)
        ]
    _check_sources_stay(jobs)
    return jobs


def beside(found: Sequence[Found], options: Options, *, overwrite: bool = False) -> list[Job]:
    """Assign each picture a target beside it: ``photo.cutout.png``.

    Cut-outs of URLs go into the current folder. Raises PlanError for standard input.
    """
    if any(one.path is None for one in found):
        raise PlanError("standard input has no name: say with -o where its cut-out goes")
    places = [one.path if isinstance(one.path, Path) else one.relative for one in found]
    names = target_names(places, BESIDE[options.output_format] + options.suffix)
    pairs = zip(found, names, strict=True)
    return [Job(one.path, name, may_skip=not overwrite) for one, name in pairs]


def check_writable(jobs: Sequence[Job]) -> None:
    """Raise PlanError, before any work starts, if a cut-out cannot be written."""
    for folder in {job.target.parent for job in jobs if job.target is not None}:
        there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
        try:
            tempfile.TemporaryFile(dir=there).close()
        except OSError as error:
            raise PlanError(f"{there} cannot be written: {error.strerror or error}") from error


def means_file(out: str) -> bool:
    """Return whether ``out`` is the name of a picture, not of a folder."""
    return Path(out).suffix.lower() in SUFFIXES and not os.path.isdir(out)


def target_names(relatives: Sequence[Path], suffix: str) -> list[Path]:
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


def _short(relative: Path, suffix: str) -> Path:
    is_known = relative.suffix.lower() in SUFFIXES
    return relative.with_name((relative.stem if is_known else relative.name) + suffix)


def _key(name: Path) -> str:
    return str(name).casefold()


def _check_paths_differ(relatives: Sequence[Path]) -> None:
    for relative, times in Counter(relatives).items():
        if times > 1:
            raise PlanError(
                f"two pictures are both called {relative} and would share an output;"
                " name the folder above them instead, which keeps their folders"
            )


def check_suffix(target: Path | None, suffix: str) -> None:
    """Raise PlanError if the suffix of ``target`` stands for another file type than ``suffix``."""
    same = {".jpeg": ".jpg", ".jpe": ".jpg", ".jfif": ".jpg"}
    if target is None:
        return
    has = target.suffix.lower()
    if same.get(has, has) != suffix:
        raise PlanError(f"{target}: what comes out is a {suffix[1:].upper()}; end its name so")


def _check_sources_stay(jobs: Sequence[Job]) -> None:
    sources = {os.path.realpath(job.source) for job in jobs if isinstance(job.source, Path)}
    for job in jobs:
        if job.target is not None and os.path.realpath(job.target) in sources:
            raise PlanError(f"{job.target} is one of the pictures and would be written over")
