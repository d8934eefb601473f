"""GET /metrics."""

from __future__ import annotations

from bgremove.api.openapi.answers import Described, errors, operation, success
from bgremove.api.openapi.operations.health import TAG
from bgremove.settings import Settings

KINDS = ("text/plain", "application/openmetrics-text")


def paths(settings: Settings) -> dict[str, Described]:
    """Describe the route of `api.metrics`, where it is served."""
    if not settings.metrics:
        return {}
    text = {"schema": {"type": "string", "minLength": 1}}
    answer = success("Counts of every worker.", dict.fromkeys(KINDS, text))
    about = "What Prometheus scrapes, in the format that Accept asks for"
    return {"/metrics": {"get": operation("metrics", TAG, about, answer | errors())}}
