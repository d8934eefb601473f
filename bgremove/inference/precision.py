"""Choice of int8 or float32 for this machine, by its instructions or by measurement."""

from __future__ import annotations

import logging
import time
from pathlib import Path
from typing import Literal

from bgremove.deadline import Deadline
from bgremove.errors import ModelUnavailableError
from bgremove.inference.models import Model
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.runtime import Provider
from bgremove.inference.session import Session
from bgremove.inference.verify import as_built, known_picture

Precision = Literal["auto", "int8", "float32"]
RUNS = 3  # the fastest run counts
RUN_TIMEOUT_S = 60.0
logger = logging.getLogger(__name__)


def int8_is_faster(model: Model, folder: Path, threads: int, provider: Provider = "cpu") -> bool:
    """Compare the speed of both forms of ``model``; the int8 answer must also be correct."""
    quantised = model.quantised
    if quantised is None or not (folder / quantised.file).is_file():
        return False
    try:
        int8_s = _best_run_s(as_built(quantised, folder), folder, threads, provider)
    except ModelUnavailableError as error:
        logger.warning("int8 does not work on this machine", extra={"cause": error.private})
        return False
    float32_s = _best_run_s(model, folder, threads, provider)
    logger.info("precision measured", extra={"int8S": int8_s, "float32S": float32_s})
    return int8_s < float32_s


def _best_run_s(model: Model, folder: Path, threads: int, provider: Provider) -> float:
    session = Session(model, folder / model.file, threads, provider)
    session.check_known_picture(Deadline.after(RUN_TIMEOUT_S))
    tensor = to_tensor(known_picture(), model)
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        session.run(tensor, Deadline.after(RUN_TIMEOUT_S))
        seconds.append(time.perf_counter() - started)
    return min(seconds)
