"""GET /metrics: the counts of all workers, in the Prometheus format that the client accepts."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

import psutil
from flask import Blueprint, Flask, Response, request
from prometheus_client import CollectorRegistry, Metric, disable_created_metrics
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bgremove.api.context import current
from bgremove.api.metrics.folder import Counts
from bgremove.api.metrics.recording import Instruments, Recorder
from bgremove.api.metrics.reserved import reserve_room
from bgremove.api.openapi.operation import undescribed
from bgremove.api.services import Hooks
from bgremove.settings import Settings

OPEN_METRICS = "application/openmetrics-text"
PLAIN = "text/plain"


class Metrics:
    """The metrics of a worker: counts of its requests and parts, and the view for /metrics.

    ``folder`` contains the counts of all workers of one gunicorn. None means a single process,
    which keeps its counts in memory.
    """

    def __init__(self, settings: Settings, folder: str | None) -> None:
        disable_created_metrics()  # they do not work with several processes
        self._registry = registry = CollectorRegistry()
        if folder is None:
            instruments = Instruments(registry)
            registry.register(Processes(os.getpid(), ("worker", "decoder")))
        else:
            reserve_room()
            instruments = Instruments(None)
            registry.register(Counts(Path(folder)))
            registry.register(Processes(os.getppid(), ("master", "worker", "decoder")))
        self._recorder = Recorder(instruments, settings)

    @property
    def hooks(self) -> Hooks:
        """The callbacks that record the events of the worker's parts."""
        return self._recorder.hooks

    def register(self, app: Flask) -> None:
        """Count the application's requests and add the route /metrics."""
        app.register_blueprint(_blueprint(self._registry))

        @app.after_request
        def _record(response: Response) -> Response:
            self._recorder.record(request, response, current())
            return response


def _blueprint(registry: CollectorRegistry) -> Blueprint:
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    @undescribed
    def scrape() -> Response:
        """Answer in the accepted format, in the library's default version of it."""
        encode, content_type = choose_encoder(_wanted())
        return Response(encode(registry), content_type=content_type)

    return blueprint


def _wanted() -> str:
    """Return the preferred of the two media types, without its parameters.

    The library trusts the version in Accept: it fails on one that is no number and repeats others
    in its answer.
    """
    for media_range, quality in request.accept_mimetypes:  # the best first
        media_type = media_range.partition(";")[0].strip().lower()
        if quality > 0 and media_type in (OPEN_METRICS, PLAIN):
            return media_type
    return PLAIN


class Processes(Collector):
    """Collects the number and resident memory of the processes in the tree under ``root``.

    ``levels`` names the generations of the tree, from the root down.
    """

    def __init__(self, root: int, levels: tuple[str, ...]) -> None:
        self._root = root
        self._levels = levels

    def collect(self) -> Iterable[Metric]:
        """Sum memory by generation. A page that two processes share is counted in both."""
        count = GaugeMetricFamily("bgremove_processes", "Processes", labels=["process"])
        memory = GaugeMetricFamily(
            "bgremove_resident_memory_bytes", "Resident memory", labels=["process"]
        )
        generation = _existing(self._root)
        for level in self._levels:
            count.add_metric([level], len(generation))
            memory.add_metric([level], sum(map(_resident_bytes, generation)))
            generation = [child for parent in generation for child in _children(parent)]
        return count, memory


def _existing(pid: int) -> list[psutil.Process]:
    try:
        return [psutil.Process(pid)]
    except psutil.NoSuchProcess:
        return []


def _resident_bytes(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:  # it has ended meanwhile
        return 0


def _children(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children()
    except psutil.NoSuchProcess:
        return []
