"""GET / and its files: the page for people who want to try the service in a minute."""

from __future__ import annotations

import hashlib

from flask import Blueprint, Response, current_app, render_template, request
from werkzeug.exceptions import NotFound

from bgremove.api import assets
from bgremove.api.context import current
from bgremove.api.schemas import REQUIRED, TOO_LARGE
from bgremove.api.services import services

blueprint = Blueprint("pages", __name__, template_folder=str(assets.FOLDER))

# Shown where the application has them.
LINKS = {"/docs": "Documentation", "/openapi.json": "OpenAPI"}
YEAR_S = 31_536_000
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


@blueprint.get("/")
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
    response.headers["Cache-Control"] = "no-cache"  # asked for each time, by its ETag
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response


@blueprint.get("/pages/<release_hash>/<name>")
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
            response.headers["Content-Encoding"] = "gzip"
            etag += "-gzip"
    response.headers["Cache-Control"] = f"public, max-age={YEAR_S}, immutable"
    response.set_etag(etag)
    response.make_conditional(request)
    return response


@blueprint.after_request
def _harden(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Referrer-Policy"] = "no-referrer"
    return response
