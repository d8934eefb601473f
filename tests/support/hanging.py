"""The application with native calls that take long or never return, selected by the request id.

For gunicorn, as ``tests.support.hanging:app``. ``nap-STEP-2`` sleeps 2 s in that step,
``hold-STEP-NAME`` until there is a file NAME in the folder $HOLD, ``hang-STEP`` for ever, and
``seize-STEP`` for ever while holding the GIL.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnxruntime as ort

from bgremove import log, pipeline
from bgremove.imaging.decoder.pool import DecoderPool
from bgremove.matting import matte
from wsgi import app

__all__ = ["app"]
LETTING_GO = ctypes.CDLL(None)
HOLDING_ON = ctypes.PyDLL(None)
LONG = 3600


def last(step: str) -> None:
    """Stay in C code for the duration given by the request id."""
    how, _, rest = (log.request_id.get() or "").partition("-")
    asked, _, rest_of = rest.partition("-")
    if asked != step:
        return
    if how == "seize":
        HOLDING_ON.sleep(LONG)
    elif how in ("hang", "nap"):
        LETTING_GO.sleep(int(rest_of) if how == "nap" else LONG)
    elif how == "hold":
        while not Path(os.environ["HOLD"], rest_of).exists():
            LETTING_GO.usleep(10_000)


def lasting(step: str, real: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap a function of the package so that it can hang."""

    def wrapped(*args: Any, **kwargs: Any) -> Any:
        last(step)
        return real(*args, **kwargs)

    return wrapped


ort.InferenceSession.run = lasting("inference", ort.InferenceSession.run)
DecoderPool.decode = lasting("decode", DecoderPool.decode)  # type: ignore[method-assign]
vars(matte)["foreground_box"] = lasting(
    "matte", vars(matte)["foreground_box"]
)  # every way to compute a matte
vars(pipeline)["encoder"] = lasting("encode", vars(pipeline)["encoder"])
