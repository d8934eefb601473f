"""The metrics that the program counts, a row each, and the counting of events."""

from __future__ import annotations

import time
from collections.abc import Sequence
from functools import partial
from typing import Any

from flask import Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bgremove import __version__
from bgremove.api.context import QUIET_PATHS
from bgremove.api.services import Hooks
from bgremove.errors import CLIENT_GONE, ErrorCode
from bgremove.inference.readiness import UNAVAILABLE, Readiness
from bgremove.serving.request import RequestContext
from bgremove.settings import Settings

# Seconds. The deadline is 20 s by default; on two cores a picture takes from 0.2 to 1.5.
WHOLE = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.5, 2, 3, 5, 7.5, 10, 15, 20)
STAGE = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20)
MEGAPIXELS = (0.25, 0.5, 1, 2, 4, 8, 12, 16, 24, 50)
SHARES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1)

# Series that exist from the start. If a series begins at 1, increase() misses the first event.
ENDINGS = ("crash", "timeout", "late", "lost")
CODES = (
    ErrorCode.VALIDATION_ERROR,
    ErrorCode.NO_SUBJECT_DETECTED,
    ErrorCode.UPSTREAM_ERROR,
    ErrorCode.OVERLOADED,
    ErrorCode.INTERNAL_ERROR,
    CLIENT_GONE,
)
NONE = "none"  # label value of a request that failed before the label was known
PIXELS_OF_ONE = 1_000_000


class Instruments:
    """The metrics that processes write. Without a registry, they live in the folder of counts."""

    def __init__(self, registry: CollectorRegistry | None) -> None:
        counter = partial(Counter, namespace="bgremove", registry=registry)
        histogram = partial(Histogram, namespace="bgremove", registry=registry)

        def gauge(name: str, text: str, labels: Sequence[str] = (), mode: str = "livesum") -> Gauge:
            """Make a gauge. The ``live`` modes drop a process that ended."""
            return Gauge(
                name,
                text,
                labels,
                namespace="bgremove",
                registry=registry,
                multiprocess_mode=mode,  # type: ignore[arg-type]
            )

        self.requests = counter("requests", "Removal requests", ["status", "subject", "format"])
        self.key_requests = counter("key_requests", "Removal requests", ["key", "status"])
        self.model_requests = counter("model_requests", "Removals answered", ["model"])
        self.errors = counter("errors", "Answers that are an error, on any path", ["code"])
        self.warnings = counter("warnings", "Warnings given with answers", ["code"])
        self.upload_bytes = counter("upload_bytes", "Bytes of pictures received")
        self.answer_bytes = counter("answer_bytes", "Bytes of answers to removals")
        self.decoder_endings = counter("decoder_endings", "Decoders that ended early", ["how"])
        self.hangs = counter("hangs", "Requests that hung, for which their worker was replaced")

        self.duration = histogram(
            "request_duration_seconds", "Removals, whole", ["status", "subject"], buckets=WHOLE
        )
        self.stage = histogram(
            "stage_duration_seconds", "Stages of successes", ["stage"], buckets=STAGE
        )
        self.wait = histogram("place_wait_seconds", "Wait for a place", buckets=STAGE)
        self.megapixels = histogram(
            "upload_megapixels", "Sizes of pictures cut out", buckets=MEGAPIXELS
        )
        self.confidence = histogram("confidence_ratio", "Confidence of successes", buckets=SHARES)

        self.places_in_use = gauge("places_in_use", "Pictures being worked on")
        self.places_limit = gauge("places_limit", "Pictures that may be worked on at once")
        self.queue_length = gauge("queue_length", "Pictures waiting for a place")
        self.queue_limit = gauge("queue_limit", "Pictures that may wait")
        self.workers = gauge("workers", "Worker processes")
        self.workers_ready = gauge("workers_ready", "Workers whose weights are verified and warm")
        self.models_loaded = gauge("models_loaded", "Workers that hold a model", ["model"])
        self.deadline = gauge("deadline_seconds", "BGREMOVE_TIMEOUT_S", mode="livemax")
        self.build_info = gauge("build_info", "The release", ["version"], mode="livemax")
        self.model_info = gauge(
            "model_info",
            "1 for what serves a subject",
            ["subject", "model", "precision", "provider"],
            mode="livemax",
        )
        for how in ENDINGS:
            self.decoder_endings.labels(how)
        for code in CODES:
            self.errors.labels(code)


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
        for code in notes.get("warnings", ()):
            to.warnings.labels(code).inc()
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
