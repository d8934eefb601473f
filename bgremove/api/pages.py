"""GET / and its files: the page for trying the service in a browser."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, current_app, render_template, request, send_from_directory
from werkzeug.exceptions import NotFound

from bgremove.api.context import current
from bgremove.api.openapi.answers import FILE_HEADERS, Described, success
from bgremove.api.openapi.operation import Operation, described
from bgremove.api.schemas.form import REQUIRED, TOO_LARGE
from bgremove.api.services import services
from bgremove.headers import Header

FOLDER = Path(__file__).resolve().parent.parent / "pages"
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

# Links that the page shows if the application has these routes.
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
        "require-trusted-types-for 'script'",  # no text becomes markup, not even by mistake
        "trusted-types 'none'",
    )
)

TAG = "Page"
HEADERS = (Header.CONTENT_SECURITY_POLICY, Header.REFERRER_POLICY, Header.ETAG)
TEXT = {"schema": {"type": "string", "minLength": 1}}
BINARY = {"schema": {"type": "string", "format": "binary"}}
KINDS = {kind: BINARY if kind in ("image/jpeg", "image/webp") else TEXT for kind in TYPES.values()}


@dataclass(frozen=True, slots=True)
class Release:
    """The files of the page under one hash, so that scripts import from the same release."""

    hash: str
    files: tuple[str, ...]

    def names(self, suffix: str) -> list[str]:
        """Return the names of the files of one kind, in order."""
        return [name for name in self.files if name.endswith(suffix)]


@cache
def release() -> Release:
    """Hash the files of known types. The template is not included."""
    files = sorted(path for path in FOLDER.iterdir() if path.suffix in TYPES)
    digest = hashlib.sha256()
    for path in files:
        content = path.read_bytes()
        digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
    return Release(digest.hexdigest()[:HASH_CHARACTERS], tuple(path.name for path in files))


def _kept(cache_control: str) -> Described:
    """Describe the Cache-Control header of a success."""
    schema = {"type": "string", "const": cache_control}
    return {Header.CACHE_CONTROL: {"description": "How long it may be kept.", "schema": schema}}


def _part(name: str, description: str) -> Described:
    schema = {"type": "string", "minLength": 1}
    about = {"description": description, "schema": schema}
    return {"name": name, "in": "path", "required": True} | about


PAGE = Operation(
    name="page",
    tag=TAG,
    summary="A page to try the service on",
    success=success("A page in HTML.", {"text/html": TEXT}, HEADERS, _kept("no-cache")),
)
FILE = Operation(
    name="pageFile",
    tag=TAG,
    summary="A file of the page at /",
    description="The page names its files; a file with another hash is of another release.",
    success=success("A file of the page.", KINDS, (*HEADERS, *FILE_HEADERS), _kept(FOR_GOOD)),
    parameters=(_part("release_hash", "Of all files together."), _part("name", "Of the file.")),
)


@blueprint.get("/")
@described(PAGE)
def page() -> Response:
    """Answer with the page, which contains the limits of this server and the available links."""
    limits = services().engine.limits
    paths = {rule.rule for rule in current_app.url_map.iter_rules()}
    text = render_template(
        "index.html",
        release=release(),
        links=[(path[1:], name) for path, name in LINKS.items() if path in paths],
        max_upload_bytes=limits.max_upload_bytes,
        max_pixels=limits.max_pixels,
        timeout_s=current().deadline.timeout_s,
        too_large=TOO_LARGE,
        required=REQUIRED,
    )
    response = Response(text, mimetype="text/html")
    response.headers[Header.CACHE_CONTROL] = "no-cache"  # revalidated by ETag on each visit
    response.set_etag(hashlib.sha256(text.encode()).hexdigest()[:32])
    response.make_conditional(request)
    return response


@blueprint.get("/pages/<release_hash>/<name>")
@described(FILE)
def file(release_hash: str, name: str) -> Response:
    """Answer with a file of the page. Its URL contains the hash, so caches may keep it."""
    if release_hash != release().hash or name not in release().files:
        raise NotFound
    response = send_from_directory(FOLDER, name, mimetype=TYPES[Path(name).suffix])
    response.headers[Header.CACHE_CONTROL] = FOR_GOOD
    return response


@blueprint.after_request
def _harden(response: Response) -> Response:
    response.headers[Header.CONTENT_SECURITY_POLICY] = POLICY
    response.headers[Header.REFERRER_POLICY] = "no-referrer"
    return response
