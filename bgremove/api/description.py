"""GET /openapi.json, and GET /docs: the same as a page. Each is built when first asked for."""

from __future__ import annotations

import json
from functools import cached_property
from typing import TYPE_CHECKING

from flask import Blueprint, Response
from flask.typing import ResponseReturnValue

from bgremove.api.services import services
from bgremove.settings import Settings

if TYPE_CHECKING:
    from bgremove.api.docs.page import Page

blueprint = Blueprint("description", __name__)
pages = Blueprint("docs", __name__)


class Description:
    """What a server with ``settings`` says of itself.

    Imports what builds it when it is built: few workers are ever asked, and apispec and the page's
    templates would cost each of them memory and time to start.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def text(self) -> str:
        """The OpenAPI document as JSON, ready to be read and compared."""
        from bgremove.api.openapi.document import build_document

        return json.dumps(build_document(self._settings), indent=2, ensure_ascii=False) + "\n"

    @cached_property
    def page(self) -> Page:
        """The document as a page."""
        from bgremove.api.docs.page import build_page

        return build_page(json.loads(self.text))


@blueprint.get("/openapi.json")
def openapi() -> ResponseReturnValue:
    """Answer with the OpenAPI document."""
    return Response(_description().text, mimetype="application/json")


@pages.get("/docs")
def docs() -> ResponseReturnValue:
    """Answer with the page, which loads nothing: its style and script are in it."""
    page = _description().page
    headers = {"Content-Security-Policy": page.policy, "Referrer-Policy": "no-referrer"}
    return Response(page.html, mimetype="text/html", headers=headers)


def _description() -> Description:
    return services().description
