"""GET /openapi.json, and GET /docs: the same as a page. Each is built when first asked for."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response
from flask.typing import ResponseReturnValue

from bgremove.api.openapi.answers import success
from bgremove.api.openapi.operation import Operation, described
from bgremove.api.services import services
from bgremove.headers import Header
from bgremove.settings import Settings

if TYPE_CHECKING:
    from bgremove.api.docs.page import Page

TAG = "Description"
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
blueprint = Blueprint("description", __name__)
pages = Blueprint("docs", __name__)


class Description:
    """The OpenAPI document of an application, as JSON and as a page.

    Modules that build it are imported when it is built: few workers are ever asked for it, and
    apispec and the page's templates would cost each of them memory and time to start.
    """

    def __init__(self, app: Flask, settings: Settings) -> None:
        self._app = app
        self._settings = settings

    @cached_property
    def text(self) -> str:
        """The OpenAPI document as JSON, ready to be read and compared."""
        from bgremove.api.openapi.document import build_document

        return (
            json.dumps(build_document(self._app, self._settings), indent=2, ensure_ascii=False)
            + "\n"
        )

    @cached_property
    def page(self) -> Page:
        """The document as a page."""
        from bgremove.api.docs.page import build_page

        return build_page(json.loads(self.text))


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
    return Response(_description().text, mimetype="application/json")


@pages.get("/docs")
@described(
    Operation(
        name="docs",
        tag=TAG,
        summary="This document as a page, from which pictures can be sent",
        success=success(
            "A page in HTML.",
            {"text/html": {"schema": {"type": "string", "minLength": 1}}},
            [Header.CONTENT_SECURITY_POLICY, Header.REFERRER_POLICY],
        ),
    )
)
def docs() -> ResponseReturnValue:
    """Answer with the page, which loads nothing: its style and script are in it."""
    page = _description().page
    headers: dict[str, str] = {
        Header.CONTENT_SECURITY_POLICY: page.policy,
        Header.REFERRER_POLICY: "no-referrer",
    }
    return Response(page.html, mimetype="text/html", headers=headers)


def _description() -> Description:
    return services().description
