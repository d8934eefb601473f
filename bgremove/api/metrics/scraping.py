"""GET /metrics: the counts of every worker, in whichever of Prometheus' formats is asked for."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Blueprint, Flask, Response, request
from prometheus_client import CollectorRegistry, disable_created_metrics
from prometheus_client.exposition import choose_encoder

from bgremove.api.context import current
from bgremove.api.metrics.folder import Counts
from bgremove.api.metrics.instruments import Instruments
from bgremove.api.metrics.processes import Processes
from bgremove.api.metrics.recording import Recorder
from bgremove.settings import Settings


def register(app: Flask, settings: Settings, folder: str | None) -> None:
    """Count what the application does and answer `/metrics`.

    ``folder`` is where gunicorn's workers keep their counts; without one there is one process, and
    they are kept in it.
    """
    disable_created_metrics()  # several processes have none, so that one need not have them either
    registry = CollectorRegistry()
    if folder is None:
        instruments = Instruments(registry)
        registry.register(Processes(os.getpid(), ("worker", "decoder")))
    else:
        instruments = Instruments(None)
        registry.register(Counts(Path(folder)))
        registry.register(Processes(os.getppid(), ("master", "worker", "decoder")))
    recorder = Recorder(instruments, settings)
    recorder.watch(
        app.extensions["bgremove"],
        app.extensions["bgremove-places"],
        app.extensions["bgremove-warm-up"],
        app.extensions["bgremove-hangs"],
    )
    app.register_blueprint(_blueprint(registry))

    @app.after_request
    def _record(response: Response) -> Response:
        recorder.record(request, response, current())
        return response


def _blueprint(registry: CollectorRegistry) -> Blueprint:
    blueprint = Blueprint("metrics", __name__)

    @blueprint.get("/metrics")
    def scrape() -> Response:
        """Answer in the format that the standard client chooses by Accept."""
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return Response(encode(registry), content_type=content_type)

    return blueprint
