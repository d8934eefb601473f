"""The application factory: the only place where the parts are put together."""

from __future__ import annotations

import logging
import os

from flask import Flask

from bgremove.api import context, description, errors, health, pages, removals
from bgremove.api.forms import FORM_OVERHEAD_BYTES, StrictRequest
from bgremove.api.raw import error_message
from bgremove.engine import build_engine
from bgremove.inference.readiness import WarmUp
from bgremove.keys.admission import admission_of
from bgremove.log import configure_logging
from bgremove.serving.alarms import Alarms
from bgremove.serving.bodies import READERS, Bodies
from bgremove.serving.hangs import Hangs
from bgremove.serving.places import Places
from bgremove.serving.uploads import Uploads
from bgremove.settings import Settings, unknown_names

logger = logging.getLogger(__name__)


class Application(Flask):
    """Flask, reading forms strictly."""

    request_class = StrictRequest


def create_app(settings: Settings | None = None) -> Flask:
    """Make the WSGI application; settings come from the environment unless given.

    Raises SettingsError with every fault of the environment, and WeightsError where the manifest
    cannot be read. Weights are not loaded here: `/readyz` says when they are.
    """
    if settings is None:
        settings = Settings.from_env(os.environ)
    configure_logging(settings.log_level, settings.log_format)
    for sentence in unknown_names(os.environ):
        logger.warning(sentence)
    app = Application("bgremove", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_upload_bytes + FORM_OVERHEAD_BYTES
    engine = build_engine(settings)
    app.extensions["bgremove"] = engine
    app.extensions["bgremove-admission"] = admission = admission_of(settings)
    logger.info(str(admission))
    app.extensions["bgremove-places"] = Places(settings.places, settings.queue)
    app.extensions["bgremove-warm-up"] = WarmUp(engine.sessions)
    app.extensions["bgremove-alarms"] = alarms = Alarms()
    bodies = Bodies(settings.places + settings.queue + READERS)
    app.extensions["bgremove-hangs"] = Hangs(
        alarms,
        bodies,
        settings.grace_s,
        is_loading=lambda: engine.sessions.is_loading,
        error_message=error_message,
    )
    app.extensions["bgremove-description"] = description.Description(settings)
    context.register(app, settings.timeout_s)
    for blueprint in (removals.blueprint, health.blueprint, errors.blueprint):
        app.register_blueprint(blueprint)
    app.register_blueprint(description.blueprint)
    if settings.pages:
        app.register_blueprint(description.pages)
        app.register_blueprint(pages.blueprint)
    if settings.metrics:  # imported only where it is wanted: it costs every worker memory
        from bgremove.api.metrics import scraping

        scraping.register(app, settings, os.environ.get("PROMETHEUS_MULTIPROC_DIR"))
    app.wsgi_app = Uploads(app.wsgi_app, bodies, alarms)  # type: ignore[method-assign]
    return app
