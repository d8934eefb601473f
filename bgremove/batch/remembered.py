"""Remember which options made the cut-outs of a folder, so that others are not taken for done.

A folder of the default options needs no memory: nothing is written into it.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

from bgremove.datatypes import Options

NAME = ".bgremove.json"  # in the folder of the cut-outs; hidden, so never taken for a picture


def made_since(folder: Path, options: Options) -> int:
    """Return the time, in nanoseconds, from which cut-outs in ``folder`` are of these options.

    0 is always. Where the last run had other options, it is now, and that is remembered.
    """
    known, wanted = _state(folder), _as_json(options)
    if known[0] == wanted:
        return known[1]
    since_ns = time.time_ns() if folder.is_dir() else 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        state = {"options": wanted, "since_ns": since_ns}
        (folder / NAME).write_text(json.dumps(state), encoding="utf-8")
    except OSError:  # writing the cut-outs there will fail as well, and say so
        return since_ns
    return since_ns


def _state(folder: Path) -> tuple[object, int]:
    try:
        state = json.loads((folder / NAME).read_text(encoding="utf-8"))
        return state["options"], int(state["since_ns"])
    except (OSError, ValueError, KeyError, TypeError):
        return _as_json(Options()), 0


def _as_json(options: Options) -> object:
    return json.loads(json.dumps(asdict(options)))
