"""The metrics that the program counts, a row each: name, labels, buckets and meaning.

`scraping.Processes` has those that are read at a scrape: processes and their memory.

Label values come from the program or from the operator (models, ids of keys), never from a client,
so the number of series is bounded.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from bgremove.errors import CLIENT_GONE, ErrorCode

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
        self.warnings = counter("warnings", "Warnings given with answers", ["kind"])
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
