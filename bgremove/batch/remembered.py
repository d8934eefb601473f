"""Remember the options of a folder's cut-outs, so that a run with other options repeats them.

Nothing is written into a folder whose cut-outs have the default options.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict
from pathlib import Path

from bgremove.options import Options

NAME = ".bgremove.json"  # in the output folder; hidden files are never read as pictures


def made_since(folder: Path, options: Options) -> int:
    """Return the time, in nanoseconds, from which cut-outs in ``folder`` are of these options.

    0 means that any age counts. If the last run had other options, returns the current time and
    stores it in the folder.
    """
    known, wanted = _state(folder), _as_json(options)
    if known[0] == wanted:
        return known[1]
    since_ns = time.time_ns() if folder.is_dir() else 0
    try:
        folder.mkdir(parents=True, exist_ok=True)
        state = {"options": wanted, "since_ns": since_ns}
        (folder / NAME).write_text(json.dumps(state), encoding="utf-8")
    except OSError:  # writing the cut-outs fails too, and reports the reason
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
