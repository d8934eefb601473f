"""GET /openapi.json and GET /docs: the OpenAPI document, and a page with it and with examples."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Flask, Response, send_from_directory
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound

from bgremove import __version__
from bgremove.api.openapi.operation import undescribed
from bgremove.api.pages import FOLDER, hardened, policy, rendered
from bgremove.api.services import services
from bgremove.settings import Settings

SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
# The policy of the page at /, with two exceptions that Swagger UI needs: icons in `data:` URLs,
# and markup made by React, which trusted types would forbid.
POLICY = policy("'self' blob: data:")
document = Blueprint("document", __name__)
blueprint = Blueprint("docs", __name__, template_folder=str(FOLDER))


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


@document.get("/openapi.json")
@undescribed
def openapi() -> ResponseReturnValue:
    """Answer with the OpenAPI document."""
    return Response(services().description.text, mimetype="application/json")


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
