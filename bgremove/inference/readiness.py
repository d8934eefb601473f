"""Readiness of a worker for requests: weights verified, precision chosen, default session warm."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bgremove.datatypes import Effort
from bgremove.deadline import Deadline
from bgremove.errors import BgremoveError, ModelUnavailableError
from bgremove.inference.models import Model, Weights
from bgremove.inference.preprocess import to_tensor
from bgremove.inference.runtime import Provider
from bgremove.inference.session import Session
from bgremove.inference.sessions import STAND_IN, Sessions
from bgremove.inference.verify import as_built, fault_of, known_picture
from bgremove.options import Subject

RETRY_S = 10.0  # between two checks of weights that were not ready
REPAIR_S = 60.0  # the same where float32 runs in place of int8
WARM_UP_TIMEOUT_S = 120.0  # to load and run the default model on the slowest machine
ABSENT, VERIFIED, UNAVAILABLE = "absent", "verified", "unavailable"
RUNS = 3  # the fastest run counts
RUN_TIMEOUT_S = 60.0
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """State of each model, the model that serves each subject, and the pending work.

    ``models``: ``verified``, ``absent``, or a description of the fault. ``subjects``: a model's
    name, with ``(model-fallback)`` for a fallback, or ``unavailable``. ``waiting_for``: empty when
    ready.
    """

    models: dict[str, str]
    subjects: dict[str, str]
    waiting_for: tuple[str, ...]
    provider: str = "cpu"
    effort: Effort = Effort.BALANCED

    @property
    def ready(self) -> bool:
        """Return whether every request can be served."""
        return not self.waiting_for


class WarmUp:
    """Verifies the weights and warms the default session in a separate thread.

    ``on_change`` is called with the result of each attempt. ``check`` raises UpstreamError where
    the other parts that a picture needs do not work.
    """

    def __init__(
        self,
        sessions: Sessions,
        on_change: Callable[[Readiness], None] = lambda _: None,
        check: Callable[[Deadline], None] = lambda _: None,
    ) -> None:
        self._sessions = sessions
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._next_try = 0.0
        self._on_change = on_change
        self._check = check
        self._readiness = Readiness(
            {}, {}, ("weights to be verified", "default session to be warm")
        )

    @property
    def readiness(self) -> Readiness:
        """Return the latest known state."""
        return self._readiness

    def start(self) -> None:
        """Start in the background, or restart if a file was missing or unusable."""
        with self._lock:
            rests = self._thread is None or not self._thread.is_alive()
            is_wanted = not self.readiness.ready or bool(self._sessions.unusable)
            if rests and is_wanted and time.monotonic() >= self._next_try:
                pause_s = REPAIR_S if self.readiness.ready else RETRY_S
                self._next_try = time.monotonic() + pause_s
                self._thread = threading.Thread(target=self.run, name="warm-up")
                self._thread.start()

    def run(self) -> None:
        """Verify every present file, warm the default session, and record the result."""
        sessions, manifest = self._sessions, self._sessions.manifest
        self._settle_precision()
        models = {model.name: self._state(model) for model in manifest.files}
        damaged = {name for name, state in models.items() if state not in (VERIFIED, ABSENT)}
        sessions.unusable = frozenset(filter(sessions.has_stand_in, damaged))
        faults = self._faults(models) or self._warm() or self._checked()
        for name in sessions.unusable:
            fault = models[name] if name in damaged else "fails on this machine"
            models[name] = f"{fault}; {STAND_IN}"
        subjects = {subject.value: self._serving(subject) for subject in Subject}
        self._readiness = Readiness(
            models, subjects, tuple(faults), sessions.provider, sessions.effort
        )
        self._on_change(self._readiness)
        level = logging.INFO
        if faults or sessions.unusable:
            level = logging.ERROR if faults else logging.WARNING
        state = {
            "models": models,
            "subjects": subjects,
            "provider": sessions.provider,
            "effort": sessions.effort,
            "waitingFor": faults,
        }
        logger.log(level, "not ready" if faults else "ready", extra=state)

    def _faults(self, models: dict[str, str]) -> list[str]:
        fallback, unusable = self._sessions.manifest.fallback, self._sessions.unusable
        return [
            f"{name}: {state}"
            for name, state in models.items()
            if name not in unusable and state != VERIFIED and (state != ABSENT or name == fallback)
        ]

    def _warm(self) -> list[str]:
        """Load the default model, in float32 where its int8 form turns out to be unusable."""
        sessions = self._sessions
        while True:
            model = sessions.default
            try:
                sessions.get(model, Deadline.after(WARM_UP_TIMEOUT_S))
                return []
            except ModelUnavailableError as error:
                logger.error(error.message, extra={"cause": error.private})
                if sessions.default == model:
                    return [error.reason]
            except BgremoveError as error:
                return [error.message]

    def _checked(self) -> list[str]:
        try:
            self._check(Deadline.after(WARM_UP_TIMEOUT_S))
        except BgremoveError as error:
            logger.error(error.message, extra={"cause": error.private})
            return [f"a picture to be decoded: {error.message}"]
        return []

    def _settle_precision(self) -> None:
        sessions = self._sessions
        if not sessions.is_precision_open:
            return
        default = sessions.manifest.model(sessions.manifest.fallback)
        try:
            sessions.int8 = int8_is_faster(
                default, sessions.weights_dir, sessions.threads, sessions.provider
            )
        except BgremoveError as error:  # the next steps report the cause
            logger.warning("precision not measured", extra={"cause": error.private})

    def _state(self, weights: Weights) -> str:
        if not self._sessions.is_present(weights):
            return ABSENT
        folder = self._sessions.weights_dir
        expected = as_built(weights, folder) if isinstance(weights, Model) else weights
        return fault_of(expected, folder / weights.file) or VERIFIED

    def _serving(self, subject: Subject) -> str:
        try:
            choice = self._sessions.choose(subject)
        except ModelUnavailableError:
            return UNAVAILABLE
        if not self._sessions.is_present(choice.model):
            return UNAVAILABLE
        return choice.model.name + (" (model-fallback)" if choice.is_fallback else "")


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
