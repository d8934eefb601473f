"""The application, whose next run of a network hangs as the file named by FAULT_FILE says.

``endless``: it goes on until it is cancelled. ``sleep``: it is stuck outside of Python. ``grip``:
the same, and it does not let go of Python's lock, so that no other thread of the worker runs.
Whoever reads the file removes it: one run hangs.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path
from typing import Any

import onnxruntime as ort

from wsgi import app

__all__ = ["app"]

HOUR = 3600
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
    raise AssertionError(f"no such way to hang, or an end to it: {how}")


ort.InferenceSession.run = _hanging
