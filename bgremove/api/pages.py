"""GET / and its files: the page for people who want to try the service in a minute."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, current_app, render_template, request
from werkzeug.exceptions import NotFound

from bgremove.api import assets
from bgremove.api.context import current
from bgremove.api.openapi.answers import Described, success
from bgremove.api.openapi.operation import Operation, described
from bgremove.api.schemas.form import REQUIRED, TOO_LARGE
from bgremove.api.services import services
from bgremove.headers import Header

blueprint = Blueprint("pages", __name__, template_folder=str(assets.FOLDER))

# Shown where the application has them.
LINKS = {"/docs": "Documentation", "/openapi.json": "OpenAPI"}
FOR_GOOD = "public, max-age=31536000, immutable"  # a year
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",  # no text ever becomes markup: not even by mistake
        "trusted-types 'none'",
    )
)

TAG = "Page"
HEADERS = (Header.CONTENT_SECURITY_POLICY, Header.REFERRER_POLICY, Header.ETAG)
TEXT = {"schema": {"type": "string", "minLength": 1}}
BINARY = {"schema": {"type": "string", "format": "binary"}}
FILES = {"text/css": TEXT, "text/javascript": TEXT, "image/svg+xml": TEXT, "image/jpeg": BINARY}


def _kept(answers: Described, cache: str) -> Described:
    """Describe how long a success may be kept, and the header that it varies by."""
    answers["200"]["headers"] |= {
        Header.CACHE_CONTROL: {
            "description": "How long it may be kept.",
            "schema": {"type": "string", "const": cache},
        },
        Header.VARY: {
            "description": "Only of files that are compressed.",
            "schema": {"type": "string", "const": "Accept-Encoding"},
        },
    }
    return answers


def _part(name: str, description: str) -> Described:
    schema = {"type": "string", "minLength": 1}
    about = {"description": description, "schema": schema}
    return {"name": name, "in": "path", "required": True} | about


PAGE = Operation(
    name="page",
    tag=TAG,
    summary="A page to try the service on",
    success=_kept(success("A page in HTML.", {"text/html": TEXT}, HEADERS), "no-cache"),
)
FILE = Operation(
    name="pageFile",
    tag=TAG,
    summary="A file of the page at /",
    description="The page names its files; a file with another hash is of another release.",
    success=_kept(
        success("A file of the page.", FILES, (*HEADERS, Header.CONTENT_ENCODING)), FOR_GOOD
    ),
    parameters=(_part("release_hash", "Of all files together."), _part("name", "Of the file.")),
)


@blueprint.get("/")
@described(PAGE)
def page() -> Response:
    """Answer with the page, which is told the limits of this server and what links there are."""
    limits = services().engine.limits
    paths = {rule.rule for rule in current_app.url_map.iter_rules()}
    text = render_template(
        "index.html",
        release=assets.release(),
        links=[(path[1:], name) for path, name in LINKS.items() if path in paths],
        max_upload_bytes=limits.max_upload_bytes,
        timeout_s=current().deadline.timeout_s,
        too_large=TOO_LARGE,
        required=REQUIRED,
    )
    response = Response(text, mimetype="text/html")
    response.headers[Header.CACHE_CONTROL] = "no-cache"  # asked for each time, by its ETag
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response


@blueprint.get("/pages/<release_hash>/<name>")
@described(FILE)
def asset(release_hash: str, name: str) -> Response:
    """Answer with a file of the page. Its URL changes with any of them, so it is kept for good."""
    release = assets.release()
    found = release.assets.get(name)
    if release_hash != release.hash or found is None:
        raise NotFound
    response = Response(found.plain, content_type=found.content_type)
    etag = f"{release.hash}-{name}"
    if found.packed is not None:
        response.vary.add("Accept-Encoding")
        if request.accept_encodings["gzip"] > 0:
            response.set_data(found.packed)
            response.headers[Header.CONTENT_ENCODING] = "gzip"
            etag += "-gzip"
    response.headers[Header.CACHE_CONTROL] = FOR_GOOD
    response.set_etag(etag)
    response.make_conditional(request)
    return response


@blueprint.after_request
def _harden(response: Response) -> Response:
    response.headers[Header.CONTENT_SECURITY_POLICY] = POLICY
    response.headers[Header.REFERRER_POLICY] = "no-referrer"
    return response
