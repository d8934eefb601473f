"""GET /openapi.json and /docs."""

from __future__ import annotations

from bgremove.api.openapi.answers import Described, errors, operation, success
from bgremove.settings import Settings

TAG = "Description"


def paths(settings: Settings) -> dict[str, Described]:
    """Describe the routes of `api.description`; the page only where it is served."""
    document = success("An OpenAPI 3.1 document.", {"application/json": {"schema": DOCUMENT}})
    page = success(
        "A page in HTML.",
        {"text/html": {"schema": {"type": "string", "minLength": 1}}},
        ["Content-Security-Policy", "Referrer-Policy"],
    )
    described = {
        "/openapi.json": {"get": operation("openapi", TAG, "This document", document | errors())}
    }
    if settings.pages:
        about = "This document as a page, from which pictures can be sent"
        described["/docs"] = {"get": operation("docs", TAG, about, page | errors())}
    return described


DOCUMENT = {
    "type": "object",
    "properties": {
        "openapi": {"type": "string", "pattern": r"^3\.1\."},
        "info": {"type": "object"},
        "paths": {"type": "object"},
        "components": {"type": "object"},
    },
    "required": ["openapi", "info", "paths", "components"],
}
