"""GET /livez, /readyz and /version."""

from __future__ import annotations

from bgremove import __version__
from bgremove.api.openapi.answers import Described, errors, json_success, operation
from bgremove.api.openapi.errors import NOT_READY
from bgremove.settings import Settings

TAG = "Health"
READY = {
    "status": "ready",
    "models": {"u2net": "verified", "u2net_human_seg": "absent"},
    "subjects": {"universal": "u2net", "human": "u2net (model-fallback)"},
    "provider": "cpu",
}
VERSION = {"name": "bgremove", "version": __version__}


def paths(_: Settings) -> dict[str, Described]:
    """Describe the routes of `api.health`."""
    live = json_success("It does.", "Live", {"status": "live"})
    ready = json_success("The weights are verified and the default model is warm.", "Ready", READY)
    version = json_success("Its name and number.", "Version", VERSION)
    return {
        "/livez": {"get": operation("live", TAG, "Whether the process answers", live | errors())},
        "/readyz": {
            "get": operation(
                "ready", TAG, "Whether pictures can be sent", ready | errors(NOT_READY)
            )
        },
        "/version": {"get": operation("version", TAG, "Which release runs", version | errors())},
    }
