"""GET /livez, /readyz and /version: for whoever runs the service."""

from __future__ import annotations

from dataclasses import asdict

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from bgremove import __version__
from bgremove.api.errors import with_envelope
from bgremove.api.services import services
from bgremove.errors import Detail

ENDING = "another worker, in place of this one, where a request hangs"
blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
def live() -> ResponseReturnValue:
    """Answer that the process answers."""
    return {"status": "live"}


@blueprint.get("/readyz")
def ready() -> ResponseReturnValue:
    """Answer 200 once the weights are verified and the default session is warm, else 503."""
    parts = services()
    warm_up = parts.warm_up
    warm_up.start()
    readiness = warm_up.readiness
    waiting_for = readiness.waiting_for + ((ENDING,) if parts.hangs.is_ending else ())
    if not waiting_for:
        state = asdict(readiness)
        del state["waiting_for"]
        return {"status": "ready", **state, **parts.admission.state}
    details = [Detail("readiness", name) for name in waiting_for]
    message = "Not ready: " + "; ".join(waiting_for)
    response = Response(status=503, headers={"Retry-After": "1"})
    return with_envelope(response, "NOT_READY", message, details)


@blueprint.get("/version")
def version() -> ResponseReturnValue:
    """Answer which release runs."""
    return {"name": "bgremove", "version": __version__}
