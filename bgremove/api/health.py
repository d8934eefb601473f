"""GET /livez, /readyz and /version, for operators and load balancers."""

from __future__ import annotations

import threading
from dataclasses import asdict
from typing import Any

from flask import Blueprint
from flask.typing import ResponseReturnValue
from marshmallow import Schema

from bgremove import __version__
from bgremove.api.openapi.components import NOT_READY
from bgremove.api.openapi.operation import Operation, described, json_success
from bgremove.api.schemas import LiveSchema, ReadySchema, VersionSchema
from bgremove.api.services import services
from bgremove.errors import NotReadyError

NO_THREAD = "a thread (none can be started: raise the limit of processes, ulimit -u or pids)"
ENDING = "another worker, in place of this one, where a request hangs"
TAG = "Health"
LIVE = {"status": "live"}
VERSION = {"name": "bgremove", "version": __version__}
READY: dict[str, Any] = {
    "status": "ready",
    "models": {"u2net": "verified", "u2net_human_seg": "absent"},
    "subjects": {"universal": "u2net", "human": "u2net", "product": "u2net (model-fallback)"},
    "provider": "cpu",
    "effort": "balanced",
    "keys": "in force",
}
blueprint = Blueprint("health", __name__)


@blueprint.get("/livez")
@described(
    Operation(
        name="live",
        tag=TAG,
        summary="Check that the process answers",
        success=json_success("The process answers.", LiveSchema, LIVE),
    )
)
def live() -> ResponseReturnValue:
    """Answer 200 while the process can answer requests."""
    return _dumped(LiveSchema(), LIVE)


@blueprint.get("/readyz")
@described(
    Operation(
        name="ready",
        tag=TAG,
        summary="Check that pictures can be sent",
        success=json_success(
            "The weights are verified and the default model is warm.", ReadySchema, READY
        ),
        failures=(NOT_READY,),
    )
)
def ready() -> ResponseReturnValue:
    """Answer 200 if the weights are verified and the default session is warm, else 503."""
    parts = services()
    if not _can_start_threads():  # every picture starts some
        raise NotReadyError((NO_THREAD,))
    parts.warm_up.start()
    readiness = parts.warm_up.readiness
    waiting_for = readiness.waiting_for + ((ENDING,) if parts.hangs.is_ending else ())
    if waiting_for:
        raise NotReadyError(waiting_for)
    state = asdict(readiness) | parts.admission.state
    return _dumped(ReadySchema(), {"status": "ready"} | state)


@blueprint.get("/version")
@described(
    Operation(
        name="version",
        tag=TAG,
        summary="Get the running release",
        success=json_success("Name and version.", VersionSchema, VERSION),
    )
)
def version() -> ResponseReturnValue:
    """Answer with the version of the running release."""
    return _dumped(VersionSchema(), VERSION)


def _can_start_threads() -> bool:
    """Return whether a thread can be started, which takes 0.1 ms."""
    thread = threading.Thread(target=int)
    try:
        thread.start()
    except RuntimeError:
        return False
    thread.join()
    return True


def _dumped(schema: Schema, value: dict[str, Any]) -> dict[str, Any]:
    dumped: dict[str, Any] = schema.dump(value)
    return dumped
