"""The application factory, the only place where the parts are put together."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Flask

from bgremove import sandbox
from bgremove.api import context, cross_origin, errors, health, openapi, pages, removals
from bgremove.api.answers import error_message
from bgremove.api.multipart import FORM_OVERHEAD_BYTES
from bgremove.api.services import NAME, Hooks, Services
from bgremove.engine import build_engine
from bgremove.inference.readiness import WarmUp
from bgremove.keys.admission import admission_of
from bgremove.log import configure_logging
from bgremove.serving.alarms import Alarms
from bgremove.serving.capacity import READERS, Bodies
from bgremove.serving.hangs import Hangs
from bgremove.serving.places import Places
from bgremove.serving.uploads import Uploads
from bgremove.settings import Settings, unknown_names

if TYPE_CHECKING:
    from bgremove.api.metrics.scraping import Metrics

DELAY_S = 0.5  # enough for a server that loads the application before it forks its workers
logger = logging.getLogger(__name__)


def create_app(settings: Settings | None = None) -> Flask:
    """Make the WSGI application.

    A thread loads the weights. It starts after DELAY_S where the settings come from the
    environment, as under any WSGI server, otherwise with the first `/readyz`.

    Args:
        settings: the settings; None reads them from the environment.

    Raises:
        SettingsError: the environment is wrong; the error lists every fault.
        WeightsError: the manifest cannot be read.
    """
    is_served = settings is None
    settings = settings or Settings.from_env(os.environ)
    configure_logging(settings.log_level, settings.log_format)
    for sentence in unknown_names(os.environ):
        logger.warning(sentence)
    for sentence in sandbox.lacking():
        logger.warning("decoders run without a protection", extra={"cause": sentence})
    metrics = _metrics(settings, os.environ.get("PROMETHEUS_MULTIPROC_DIR"))
    app = _routed(settings, metrics)
    services = build_services(app, settings, metrics.hooks if metrics else Hooks())
    logger.info(str(services.admission))
    app.extensions[NAME] = services
    app.wsgi_app = Uploads(app.wsgi_app, services.bodies, services.alarms)  # type: ignore[method-assign]
    if is_served:
        _start_soon(services.warm_up.start)
    return app


def describe(settings: Settings) -> openapi.Description:
    """Describe the application that `create_app` would make, without building its parts."""
    return openapi.Description(_routed(settings, _metrics(settings, None)), settings)


def _routed(settings: Settings, metrics: Metrics | None) -> Flask:
    """Make an application with its routes, but without the parts that they use."""
    app = Flask(NAME, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes + FORM_OVERHEAD_BYTES
    context.register(app, settings)
    for blueprint in (removals.blueprint, health.blueprint, errors.blueprint):
        app.register_blueprint(blueprint)
    app.register_blueprint(openapi.blueprint)
    cross_origin.register(app, settings.cors_origins)
    if settings.pages:
        app.register_blueprint(pages.blueprint)
    if metrics:
        metrics.register(app)
    return app


def build_services(app: Flask, settings: Settings, hooks: Hooks) -> Services:
    """Build the parts of a worker."""
    engine = build_engine(
        settings,
        on_decoder_end=hooks.on_decoder_end,
        on_models_loaded=hooks.on_models_loaded,
    )
    alarms, bodies = Alarms(), Bodies(settings.places + settings.queue + READERS)
    hangs = Hangs(
        alarms,
        bodies,
        settings.grace_s,
        is_loading=lambda: engine.sessions.is_loading,
        error_message=error_message,
        on_hang=hooks.on_hang,
    )
    return Services(
        engine=engine,
        admission=admission_of(settings),
        places=Places(settings.places, settings.queue, hooks.on_places),
        warm_up=WarmUp(engine.sessions, hooks.on_readiness, engine.check),
        alarms=alarms,
        bodies=bodies,
        hangs=hangs,
        description=openapi.Description(app, settings),
    )


def _metrics(settings: Settings, folder: str | None) -> Metrics | None:
    """Build the metrics; imported only where enabled, because they cost memory in each worker."""
    if not settings.metrics:
        return None
    from bgremove.api.metrics.scraping import Metrics

    return Metrics(settings, folder)


def _start_soon(start: Callable[[], None]) -> None:
    """Call ``start`` soon, in this process or in the children that it forks before.

    It warms an application up under a server without bgremove's gunicorn configuration.

    A server may load the application in its master and fork afterwards. A session made in the
    master would hang in its workers, so the first fork moves the call into the children.
    """
    timer = threading.Timer(DELAY_S, start)
    timer.daemon = True
    is_moved = False

    def before_fork() -> None:
        nonlocal is_moved
        if not is_moved and not timer.finished.is_set():
            timer.cancel()
            is_moved = True

    def in_child() -> None:
        if is_moved:
            start()

    os.register_at_fork(before=before_fork, after_in_child=in_child)
    timer.start()
