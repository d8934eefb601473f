"""GET /openapi.json, and GET /docs: the same document in Swagger UI."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Flask, Response, send_from_directory
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from bgremove.api.openapi.answers import FILE_HEADERS, Described, success
from bgremove.api.openapi.operation import Operation, described
from bgremove.api.services import services
from bgremove.headers import Header
from bgremove.settings import Settings

OWN = Path(__file__).parent / "docs"
SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
FILES = {
    "docs.js": (OWN, "text/javascript"),
    "swagger-ui-bundle.js": (SWAGGER_UI, "text/javascript"),
    "swagger-ui.css": (SWAGGER_UI, "text/css"),
}
# The policy of the page at /, with two exceptions that Swagger UI needs: icons in `data:` URLs,
# and markup made by React, which trusted types would forbid.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
TAG = "Description"
TEXT: Described = {"schema": {"type": "string", "minLength": 1}}
DOCUMENT: Described = {
    "type": "object",
    "properties": {
        "openapi": {"type": "string", "pattern": r"^3\.1\."},
        "info": {"type": "object"},
        "paths": {"type": "object"},
        "components": {"type": "object"},
    },
    "required": ["openapi", "info", "paths", "components"],
}
NAME = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "Of the file.",
    "schema": {"type": "string", "enum": list(FILES)},
}
KEPT: Described = {
    Header.CACHE_CONTROL: {
        "description": "A browser asks again each time, by the ETag.",
        "schema": {"type": "string", "const": "no-cache"},
    }
}
HEADERS = (
    Header.CONTENT_SECURITY_POLICY,
    Header.REFERRER_POLICY,
    Header.ETAG,
    *FILE_HEADERS,
)
blueprint = Blueprint("description", __name__)
pages = Blueprint("docs", __name__)


class Description:
    """The OpenAPI document of an application.

    The modules that build the document are imported on the first request. Few workers ever receive
    that request, and apispec costs memory and start-up time.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    @cached_property
    def text(self) -> str:
        """The OpenAPI document as indented JSON."""
        from bgremove.api.openapi.document import build_document

        document = build_document(self._app, self._settings)
        return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


@blueprint.get("/openapi.json")
@described(
    Operation(
        name="openapi",
        tag=TAG,
        summary="This document",
        success=success("OpenAPI 3.1.", {"application/json": {"schema": DOCUMENT}}),
    )
)
def openapi() -> ResponseReturnValue:
    """Answer with the OpenAPI document."""
    return Response(services().description.text, mimetype="application/json")


@pages.get("/docs")
@described(
    Operation(
        name="docs",
        tag=TAG,
        summary="This document as a page, from which pictures can be sent",
        success=success("A page in HTML.", {"text/html": TEXT}, HEADERS, KEPT),
    )
)
def docs() -> ResponseReturnValue:
    """Answer with the page that starts Swagger UI."""
    return _sent(OWN, "docs.html", "text/html")


@pages.get("/docs/files/<name>")
@described(
    Operation(
        name="docsFile",
        tag=TAG,
        summary="A file of the page at /docs",
        success=success(
            "A file of the page.",
            {"text/css": TEXT, "text/javascript": TEXT},
            HEADERS,
            KEPT,
        ),
        parameters=(NAME,),
    )
)
def file(name: str) -> ResponseReturnValue:
    """Answer with a script or the style of the page."""
    if name not in FILES:
        raise NotFound
    folder, mimetype = FILES[name]
    return _sent(folder, name, mimetype)


def _sent(folder: Path, name: str, mimetype: str) -> Response:
    response = send_from_directory(folder, name, mimetype=mimetype)
    response.headers[Header.CONTENT_SECURITY_POLICY] = POLICY
    response.headers[Header.REFERRER_POLICY] = "no-referrer"
    return response
