"""Decide which cut-outs are finished, in any store.

An output folder remembers the options of its cut-outs in a hidden file. Nothing is written into a
folder whose cut-outs have the default options.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import PurePosixPath

from bgremove.batch.stores import File, join, store_of
from bgremove.errors import ImageError
from bgremove.options import Options

NAME = PurePosixPath(".bgremove.json")  # hidden files are never read as pictures
MAX_BYTES = 64 * 1024


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
    name = join(folder, NAME)
    note = next(iter(store_of(name).look_up([name], [folder])), None)
    if note is None:
        return 0 if options == Options() else None
    return note.changed_ns if _remembered(name) == _as_json(options) else None


def remember(folder: str, options: Options) -> None:
    """Note the options of the cut-outs that follow; those that exist count as unfinished."""
    if made_since(folder, options) is not None:
        return
    name = join(folder, NAME)
    try:
        store_of(name).write(name, json.dumps({"options": _as_json(options)}).encode())
    except OSError:  # writing the cut-outs fails too, and reports the reason
        return


def _remembered(name: str) -> object:
    """Return the options in the note; None if it is damaged."""
    try:
        return json.loads(store_of(name).read(name, MAX_BYTES))["options"]
    except (OSError, ValueError, KeyError, TypeError, ImageError):
        return None


def _as_json(options: Options) -> object:
    return json.loads(json.dumps(asdict(options)))
