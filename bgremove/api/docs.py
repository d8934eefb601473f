"""GET /docs: examples of requests, and the OpenAPI document in Swagger UI."""

from __future__ import annotations

from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, send_from_directory
from werkzeug.exceptions import NotFound

from bgremove import __version__
from bgremove.api.openapi.operation import undescribed
from bgremove.api.pages import FOLDER, hardened, rendered

SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
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
blueprint = Blueprint("docs", __name__, template_folder=str(FOLDER))


@blueprint.get("/docs")
@undescribed
def docs() -> Response:
    """Answer with the page that shows the examples and starts Swagger UI."""
    return rendered("docs.html", version=__version__)


@blueprint.get("/docs/files/<name>")
@undescribed
def file(name: str) -> Response:
    """Answer with a file of Swagger UI."""
    if name not in FILES:
        raise NotFound
    return send_from_directory(SWAGGER_UI, name, mimetype=FILES[name])


@blueprint.after_request
def _harden(response: Response) -> Response:
    return hardened(response, POLICY)
