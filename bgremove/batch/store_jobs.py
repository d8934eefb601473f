"""Find sources and plan targets given as URLs, as `sources` and `targets` do for paths."""

from __future__ import annotations

import glob
import posixpath
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from bgremove.batch.records import Outcome, Record, Status
from bgremove.batch.sources import is_picture_name
from bgremove.batch.stores import Place, place_of
from bgremove.batch.targets import check_suffix, means_file, target_names
from bgremove.errors import PlanError


@dataclass(frozen=True, slots=True)
class StoreJob:
    """One picture: the URLs of its source and its target."""

    source: str
    target: str
    is_finished: bool = False

    def outcome(self, status: Status, ms: int = 0, record: Record | None = None) -> Outcome:
        """Return the outcome of this job."""
        return Outcome(self.source, self.target, status, ms, record or Record())


def plan(
    names: Sequence[str], out: str, suffix: str, *, recursive: bool = True, overwrite: bool = False
) -> list[StoreJob]:
    """Find the pictures of ``names`` (folders, patterns, files) and assign each a target.

    An existing cut-out that is not empty counts as finished, unless ``overwrite``. Its age is not
    checked, because stores report modification times differently.

    Raises PlanError for a name that no store has, an unknown kind of store, and a cut-out that
    would overwrite a picture.
    """
    try:
        return _planned(
            [place_of(name) for name in names], place_of(out), suffix, recursive, overwrite
        )
    except PlanError:
        raise
    except Exception as error:  # every store has its own exceptions
        raise PlanError(f"{', '.join(names)} to {out}: {error or repr(error)}") from error


def _planned(
    places: Sequence[Place], out: Place, suffix: str, recursive: bool, overwrite: bool
) -> list[StoreJob]:
    is_file = [place.store.isfile(place.path) for place in places]
    several = is_file.count(False) > 1
    found: dict[str, Path] = {}  # by URL: a picture named twice is processed once
    for place, is_one in zip(places, is_file, strict=True):
        one = {place.url: Path(posixpath.basename(place.path))}
        meant = one if is_one else dict(_searched(place, out, recursive, several))
        found = meant | found
    targets = _targets(list(found.values()), out, suffix)
    if taken := found.keys() & targets:
        raise PlanError(f"{taken.pop()} is one of the pictures and would be written over")
    there = frozenset() if overwrite else _finished(out)
    return [StoreJob(*both, both[1] in there) for both in zip(found, targets, strict=True)]


def _targets(relatives: Sequence[Path], out: Place, suffix: str) -> list[str]:
    if len(relatives) == 1 and means_file(out.url) and not out.store.isdir(out.path):
        check_suffix(Path(out.path), suffix)
        return [out.url]
    if (means_file(out.url) and not out.store.isdir(out.path)) or out.store.isfile(out.path):
        raise PlanError(f"{out.url} names a file: {len(relatives)} pictures need a folder")
    return [out.below(str(name)).url for name in target_names(relatives, suffix)]


def _finished(out: Place) -> frozenset[str]:
    """Return the URLs of existing cut-outs that are not empty: the file, or those in the folder."""
    if out.store.isfile(out.path):
        return frozenset([out.url] if out.store.size(out.path) else [])
    return frozenset(out.below(name).url for name, size in out.files().items() if size)


def _searched(
    place: Place, out: Place, recursive: bool, several: bool
) -> Iterator[tuple[str, Path]]:
    """Yield the pictures in a folder or matching a pattern, with their paths below the output.

    Skips hidden files, and the files in ``out`` if it is inside the folder.
    """
    base, names = _listed(place, recursive)
    above = Path(posixpath.basename(base.path) if several else "")
    if base.url == (out.below(str(above)) if several else out).url:
        fault = "would lie among its pictures, and be taken for pictures the next time"
        raise PlanError(f"the cut-outs of {base.url} {fault}; choose another folder for them")
    names = [name for name in names if not any(part[0] == "." for part in Path(name).parts)]
    if out.url.startswith(f"{base.url}/"):
        names = [name for name in names if not base.below(name).url.startswith(f"{out.url}/")]
    if not names:
        raise PlanError(f"{place.url}: no pictures there")
    yield from ((base.below(name).url, above / name) for name in names)


def _listed(place: Place, recursive: bool) -> tuple[Place, list[str]]:
    """Return a folder and its selected files: the pictures in it, or all matches of a pattern."""
    if not glob.has_magic(place.path) or place.store.isdir(place.path):
        names = place.files(recursive=recursive)
        return place, sorted(name for name in names if is_picture_name(Path(name)))
    parts = place.path.split("/")
    wild = next(index for index, part in enumerate(parts) if glob.has_magic(part))
    rest = "/" + "/".join(parts[wild:])
    base = Place(place.store, place.path.removesuffix(rest), place.url.removesuffix(rest))
    matches = (path for path in place.store.glob(place.path) if place.store.isfile(path))
    return base, sorted(posixpath.relpath(path, base.path) for path in matches)
