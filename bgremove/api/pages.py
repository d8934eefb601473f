"""GET / and GET /docs with their files: the page for using the service, and that of its API."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import flask_swagger_ui
from flask import Blueprint, Response, render_template, request, send_from_directory
from werkzeug.exceptions import NotFound

from bgremove import __version__
from bgremove.api.context import current
from bgremove.api.form import REQUIRED
from bgremove.api.openapi.operation import undescribed
from bgremove.api.services import services
from bgremove.headers import Header

FOLDER = Path(__file__).resolve().parent.parent / "pages"
SWAGGER_UI = Path(flask_swagger_ui.__file__).parent / "dist"
SWAGGER_FILES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css"}
HASH_CHARACTERS = 16
# By suffix. The system's own table of types differs between machines.
TYPES = {
    ".css": "text/css",
    ".jpg": "image/jpeg",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
}
blueprint = Blueprint("pages", __name__, template_folder=str(FOLDER))

# Links between the pages.
LINKS = {"/": "Cut out", "/docs": "API", "/openapi.json": "OpenAPI"}
FOR_GOOD = "public, max-age=31536000, immutable"  # a year


def _policy(images: str, *more: str) -> str:
    """Return a Content-Security-Policy under which only files of this server are loaded.

    ``images`` are the sources of images, ``more`` further directives.
    """
    directives = (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        f"img-src {images}",
        "connect-src 'self'",
        "form-action 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        *more,
    )
    return "; ".join(directives)


# With trusted types no text becomes markup, not even by mistake.
POLICY = _policy("'self' blob:", "require-trusted-types-for 'script'", "trusted-types 'none'")
# Swagger UI has icons in `data:` URLs, and markup made by React, which trusted types would forbid.
DOCS_POLICY = _policy("'self' blob: data:")


@dataclass(frozen=True, slots=True)
class Release:
    """The files of the pages under one hash, so that scripts import from the same release."""

    hash: str
    files: tuple[str, ...]

    def names(self, suffix: str) -> list[str]:
        """Return the names of the files of one kind, in order."""
        return [name for name in self.files if name.endswith(suffix)]


@cache
def release() -> Release:
    """Hash the files of known types. Templates are not included."""
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in TYPES)
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return Release(digest.hexdigest()[:HASH_CHARACTERS], tuple(path.name for path in files))


@blueprint.get("/")
@undescribed
def page() -> Response:
    """Answer with the page, which contains the limits of this server."""
    limits = services().engine.limits
    return _rendered(
        "index.html",
        max_upload_bytes=limits.max_upload_bytes,
        max_pixels=limits.max_pixels,
        timeout_s=current().deadline.timeout_s,
        required=REQUIRED,
    )


@blueprint.get("/pages/<release_hash>/<name>")
@undescribed
def file(release_hash: str, name: str) -> Response:
    """Answer with a file of the pages. Its URL contains the hash, so caches may keep it."""
    if release_hash != release().hash or name not in release().files:
        raise NotFound
    response = send_from_directory(FOLDER, name, mimetype=TYPES[Path(name).suffix])
    response.headers[Header.CACHE_CONTROL] = FOR_GOOD
    return response


@blueprint.get("/docs")
@undescribed
def docs() -> Response:
    """Answer with the page that shows the examples and starts Swagger UI."""
    return _rendered("docs.html", version=__version__)


@blueprint.get("/docs/files/<name>")
@undescribed
def swagger_file(name: str) -> Response:
    """Answer with a file of Swagger UI."""
    if name not in SWAGGER_FILES:
        raise NotFound
    return send_from_directory(SWAGGER_UI, name, mimetype=SWAGGER_FILES[name])


@blueprint.after_request
def _harden(response: Response) -> Response:
    """Set the headers that limit what a page may load and send."""
    is_docs = request.path.startswith("/docs")
    response.headers[Header.CONTENT_SECURITY_POLICY] = DOCS_POLICY if is_docs else POLICY
    response.headers[Header.REFERRER_POLICY] = "no-referrer"
    return response


def _rendered(template: str, **values: object) -> Response:
    """Render a template with the release, the links and ``values``; browsers revalidate it."""
    text = render_template(template, release=release(), here=request.path, links=LINKS, **values)
    response = Response(text, mimetype="text/html")
    response.headers[Header.CACHE_CONTROL] = "no-cache"  # revalidated by ETag on each visit
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response
