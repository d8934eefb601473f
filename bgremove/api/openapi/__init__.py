"""The OpenAPI document, and GET /openapi.json.

A route is described beside its view (`operation`), a body by its schema (`bgremove.api.schemas`), a
header and an error code in `components`. tests/contract fails if a route, a header or a code has no
description. `document` imports apispec, so it is imported on the first request for the document.
"""

from __future__ import annotations

import json
from functools import cached_property

from flask import Blueprint, Flask, Response
from flask.typing import ResponseReturnValue

from bgremove.api.openapi.operation import undescribed
from bgremove.api.services import services
from bgremove.settings import Settings

blueprint = Blueprint("document", __name__)


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

        described = build_document(self._app, self._settings)
        return json.dumps(described, indent=2, ensure_ascii=False) + "\n"


@blueprint.get("/openapi.json")
@undescribed
def openapi() -> ResponseReturnValue:
    """Answer with the OpenAPI document."""
    return Response(services().description.text, mimetype="application/json")
