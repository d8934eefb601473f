"""Count events: a removal when its answer is known, a part when its state changes."""

from __future__ import annotations

import time
from typing import Any

from flask import Request, Response

from bgremove import __version__
from bgremove.api.context import QUIET_PATHS
from bgremove.api.metrics.instruments import Instruments
from bgremove.inference.readiness import UNAVAILABLE, Readiness
from bgremove.serving.context import RequestContext
from bgremove.serving.hooks import Hooks
from bgremove.settings import Settings

NONE = "none"  # label value of a request that failed before the label was known
PIXELS_OF_ONE = 1_000_000


class Recorder:
    """Writes the instruments. All counting happens here."""

    def __init__(self, instruments: Instruments, settings: Settings) -> None:
        self._to = instruments
        self._models: dict[str, tuple[str, ...]] = {}  # by subject: the labels whose gauge is 1
        self._loaded: frozenset[str] = frozenset()
        instruments.workers.set(1)
        instruments.workers_ready.set(0)
        instruments.places_limit.set(settings.places)
        instruments.queue_limit.set(settings.queue)
        instruments.deadline.set(settings.timeout_s)
        instruments.build_info.labels(__version__).set(1)

    @property
    def hooks(self) -> Hooks:
        """The callbacks that record the events of the worker's parts."""
        return Hooks(
            on_decoder_end=lambda how: self._to.decoder_endings.labels(how).inc(),
            on_models_loaded=self._note_loaded,
            on_places=self._note_places,
            on_readiness=self._note_readiness,
            on_hang=self._to.hangs.inc,
        )

    def record(self, request: Request, response: Response, context: RequestContext) -> None:
        """Count one request by its log notes. Health checks and scrapes are not counted."""
        if request.path in QUIET_PATHS:
            return
        if "code" in context.notes:
            self._to.errors.labels(context.notes["code"]).inc()
        if request.blueprint == "removals" and request.method == "POST":
            self._record_removal(response, context)

    def _record_removal(self, response: Response, context: RequestContext) -> None:
        to, notes = self._to, context.notes
        status, subject = str(response.status_code), notes.get("subject", NONE)
        to.requests.labels(status, subject, notes.get("format", NONE)).inc()
        to.key_requests.labels(notes.get("key", NONE), status).inc()
        to.duration.labels(status, subject).observe(time.monotonic() - context.started)
        to.upload_bytes.inc(notes.get("uploadBytes", 0))
        to.answer_bytes.inc(response.content_length or 0)
        if "waitedMs" in notes:
            to.wait.observe(notes["waitedMs"] / 1000)
        if "model" in notes:
            to.model_requests.labels(notes["model"]).inc()
        for kind in notes.get("warnings", ()):
            to.warnings.labels(kind).inc()
        if "stages" in notes:
            self._record_success(notes)

    def _record_success(self, notes: dict[str, Any]) -> None:
        self._to.megapixels.observe(notes["pixels"] / PIXELS_OF_ONE)
        self._to.confidence.observe(notes["confidence"])
        for stage, ms in notes["stages"].items():
            self._to.stage.labels(stage).observe(ms / 1000)

    def _note_places(self, in_use: int, waiting: int) -> None:
        self._to.places_in_use.set(in_use)
        self._to.queue_length.set(waiting)

    def _note_loaded(self, names: tuple[str, ...]) -> None:
        for name in self._loaded.union(names):
            self._to.models_loaded.labels(name).set(name in names)
        self._loaded = frozenset(names)

    def _note_readiness(self, readiness: Readiness) -> None:
        self._to.workers_ready.set(readiness.ready)
        for subject, serving in readiness.subjects.items():
            if subject in self._models:
                self._to.model_info.labels(*self._models[subject]).set(0)
            model = serving.partition(" ")[0]  # the rest marks a stand-in model
            precision = "int8" if model.endswith("-int8") else "float32"
            if model != UNAVAILABLE:
                self._models[subject] = (subject, model, precision, readiness.provider)
                self._to.model_info.labels(*self._models[subject]).set(1)
