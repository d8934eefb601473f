"""Plan a batch: each picture, its cut-out, and whether that is finished, in any store.

An output folder remembers the options of its cut-outs in a hidden file. Nothing is written into a
folder whose cut-outs have the default options.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import PurePosixPath
from typing import TypeGuard

from bgremove.batch.records import STANDARD, Job
from bgremove.batch.sources import Found, find
from bgremove.batch.stores import File, Store, folder_of, join, store_of
from bgremove.batch.targets import means_file, targets
from bgremove.errors import ImageError, PlanError
from bgremove.options import Options

NOTE = PurePosixPath(".bgremove.json")  # hidden files are never read as pictures
MAX_NOTE_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Plan:
    """The jobs of a batch, and the files in its folders that are not named as pictures."""

    jobs: list[Job]
    others: list[str]


def plan(
    names: Sequence[str],
    out: str | None,
    options: Options,
    *,
    recursive: bool = True,
    overwrite: bool = False,
) -> Plan:
    """Plan the cut-outs of all pictures that ``names`` refer to; nothing is written.

    Args:
        names: Files, folders, patterns and addresses; ``-`` is standard input.
        out: A file, a folder, ``-`` for standard output, or None for a name beside each picture.
        options: The options of the removal.
        recursive: Whether folders inside folders are searched.
        overwrite: Whether finished cut-outs are made again.

    Raises:
        PlanError: A name matches no file, ``out`` cannot hold the cut-outs, two of them would share
            a name, or one would overwrite a picture.

    """
    found = find(names, out, recursive=recursive)
    if not found.pictures:
        return Plan([], found.others)
    wanted = targets(found.pictures, out, options)
    try:
        return Plan(_jobs(found, wanted, names, out, options, overwrite), found.others)
    except OSError as error:
        raise PlanError(f"{out or names[0]} cannot be read: {error.strerror or error}") from error


def remembers(out: str | None) -> TypeGuard[str]:
    """Return whether ``out`` is a folder, which remembers the options of its cut-outs."""
    return out is not None and out != STANDARD and not means_file(out)


def check_writable(jobs: Sequence[Job]) -> None:
    """Raise PlanError, before any work starts, if a cut-out cannot be written."""
    for folder in {folder_of(job.target) for job in jobs}:
        try:
            store_of(folder).check_writable(folder)
        except OSError as error:
            reason = error.strerror or error
            raise PlanError(f"{error.filename or folder} cannot be written: {reason}") from error


def _jobs(
    found: Found,
    wanted: Sequence[str],
    names: Sequence[str],
    out: str | None,
    options: Options,
    overwrite: bool,
) -> list[Job]:
    folders = [folder_of(wanted[0])] if len(wanted) == 1 else [out] if out else names
    existing = _look_up(wanted, folders)
    pictures = {picture.file.key for picture in found.pictures}
    for name, file in existing.items():
        if file.key in pictures:
            raise PlanError(f"{name} is one of the pictures and would be overwritten")
    since_ns = made_since(out, options) if remembers(out) else 0
    return [
        Job(
            picture.file.name,
            target,
            is_finished=not overwrite
            and since_ns is not None
            and is_finished(picture.file, existing.get(target), since_ns),
        )
        for picture, target in zip(found.pictures, wanted, strict=True)
    ]


def _look_up(names: Sequence[str], folders: Sequence[str]) -> dict[str, File]:
    """Return the existing files among ``names``, each in or below one of ``folders``."""
    by_store: dict[Store, list[str]] = {}
    for name in names:
        if name != STANDARD:
            by_store.setdefault(store_of(name), []).append(name)
    found = (
        store.look_up(ours, [each for each in folders if store_of(each) == store])
        for store, ours in by_store.items()
    )
    return {file.name: file for files in found for file in files}


def is_finished(picture: File, cutout: File | None, since_ns: int) -> bool:
    """Return whether a cut-out exists, is not empty and is up to date.

    Args:
        picture: The picture.
        cutout: Its cut-out; None if there is none.
        since_ns: The time from which cut-outs have the wanted options.

    Returns:
        Whether the cut-out is not older than its picture and ``since_ns``. A time that the store
        does not report is not compared.

    """
    if cutout is None or not cutout.size:
        return False
    return not cutout.changed_ns or cutout.changed_ns >= max(picture.changed_ns, since_ns)


def made_since(folder: str, options: Options) -> int | None:
    """Return the time, in nanoseconds, from which cut-outs in ``folder`` have these options.

    0 means that any age counts, None that no cut-out there has these options.
    """
    name = join(folder, NOTE)
    note = next(iter(store_of(name).look_up([name], [folder])), None)
    if note is None:
        return 0 if options == Options() else None
    # A pipe or a device has no size, and its content may never end.
    return note.changed_ns if note.size and _remembered(name) == _as_json(options) else None


def remember(folder: str, options: Options) -> None:
    """Note the options of the cut-outs that follow; those that exist count as unfinished."""
    if made_since(folder, options) is not None:
        return
    name = join(folder, NOTE)
    try:
        store_of(name).write(name, json.dumps({"options": _as_json(options)}).encode())
    except OSError:  # writing the cut-outs fails too, and reports the reason
        return


def _remembered(name: str) -> object:
    """Return the options in the note; None if it is damaged."""
    try:
        return json.loads(store_of(name).read(name, MAX_NOTE_BYTES))["options"]
    except (OSError, ValueError, KeyError, TypeError, ImageError):
        return None


def _as_json(options: Options) -> object:
    return json.loads(json.dumps(asdict(options)))
