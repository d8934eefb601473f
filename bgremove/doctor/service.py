"""The service that this machine would run: the models, their precision, and a timed trial."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import cv2
import numpy as np

from bgremove.deadline import Deadline
from bgremove.engine import Engine, build_engine
from bgremove.errors import BgremoveError, SettingsError
from bgremove.imaging.encode import encode_jpeg
from bgremove.inference.readiness import WarmUp
from bgremove.inference.verify import known_picture
from bgremove.keys.admission import admission_of
from bgremove.memory import return_freed_memory
from bgremove.options import Options, Subject
from bgremove.pipeline import remove_background
from bgremove.settings import Settings

TRIAL_SIZE = (1440, 1080)  # pixels; about the size of a picture in a web shop
TRIAL_TIMEOUT_S = 120.0
GRAIN = 16  # levels up and down: without texture it would be a graphic, and no network would run


@dataclass(frozen=True, slots=True)
class Trial:
    """Milliseconds per stage of one picture of ``TRIAL_SIZE``, after a warm-up picture."""

    stages_ms: dict[str, float]
    model: str

    @property
    def total_ms(self) -> float:
        """The sum of all stages."""
        return round(sum(self.stages_ms.values()), 1)


@dataclass(frozen=True, slots=True)
class Service:
    """A server of these settings; ``models`` and ``subjects`` have the format of `/readyz`.

    ``joining`` are the models of unmeasured quality that join the vote on people. ``faults`` give
    the reasons why it would not serve.
    """

    provider: str | None = None
    effort: str | None = None
    precision: str | None = None
    models: dict[str, str] = field(default_factory=dict)
    subjects: dict[str, str] = field(default_factory=dict)
    trial: Trial | None = None
    faults: tuple[str, ...] = ()
    joining: tuple[str, ...] = ()


def try_service(settings: Settings) -> Service:
    """Build a worker's engine, read its keys, verify its weights, and process one picture."""
    return_freed_memory()
    refused = _faults_of_keys(settings)
    try:
        engine = build_engine(settings)
    except BgremoveError as error:
        return Service(faults=(*refused, error.private or error.message))
    try:
        service = _tried(engine)
    finally:
        engine.close()
    return replace(service, faults=(*refused, *service.faults))


def _faults_of_keys(settings: Settings) -> tuple[str, ...]:
    try:
        admission_of(settings)
    except SettingsError as error:
        return error.faults
    return ()


def _tried(engine: Engine) -> Service:
    warm_up = WarmUp(engine.sessions)
    warm_up.run()
    found = warm_up.readiness
    faults = found.waiting_for
    trial = None
    if found.ready:
        try:
            trial = _trial(engine)
        except BgremoveError as error:
            faults = (f"the trial picture failed: {error.private or error.message}",)
    precision = "int8" if engine.sessions.int8 else "float32"
    joining = tuple(model.name for model in engine.sessions.joining(Subject.HUMAN))
    return Service(
        found.provider,
        found.effort,
        precision,
        found.models,
        found.subjects,
        trial,
        faults,
        joining,
    )


def _trial(engine: Engine) -> Trial:
    bgr = cv2.resize(known_picture().bgr, TRIAL_SIZE, interpolation=cv2.INTER_LINEAR)
    grain = np.random.default_rng(0).integers(-GRAIN, GRAIN + 1, (*bgr.shape[:2], 1))
    picture = encode_jpeg((bgr + grain).clip(0, 255).astype(np.uint8))
    for _ in range(2):  # the first run starts a decoder and allocates memory
        removal = remove_background(picture, Options(), engine, Deadline.after(TRIAL_TIMEOUT_S))
    return Trial(removal.stages_ms, removal.model)
