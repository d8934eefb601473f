"""The application with a network run that hangs in the way that the file at FAULT_FILE selects.

``endless``: the network runs again and again until the run is cancelled. ``sleep``: it blocks in
native code. ``grip``: the same while holding the GIL, so that no other thread of the worker runs.
The first run to read the file deletes it, so that only one run hangs.
"""

from __future__ import annotations

import ctypes
import os
import time
from pathlib import Path
from typing import Any

import onnxruntime as ort

from wsgi import app

__all__ = ["app"]

HOUR = 3600
PAUSE_S = 0.2  # between the runs of ``endless``, so that it does not take all of a core
FILE = Path(os.environ["FAULT_FILE"])
_run = ort.InferenceSession.run


def _hanging(self: Any, *arguments: Any) -> Any:
    try:
        how = FILE.read_text("ascii")
        FILE.unlink()
    except FileNotFoundError:
        return _run(self, *arguments)
    if how == "sleep":
        ctypes.CDLL(None).sleep(HOUR)
    elif how == "grip":
        ctypes.PyDLL(None).sleep(HOUR)
    while how == "endless":
        _run(self, *arguments)
        time.sleep(PAUSE_S)
    raise AssertionError(f"no such way to hang, or an end to it: {how}")


ort.InferenceSession.run = _hanging
