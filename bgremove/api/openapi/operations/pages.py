"""GET / and the files of the page."""

from __future__ import annotations

from typing import Any

from bgremove.api.openapi.answers import Described, errors, operation, success
from bgremove.settings import Settings

TAG = "Page"
HEADERS = ("Content-Security-Policy", "Referrer-Policy", "ETag")
PACKED = (*HEADERS, "Content-Encoding")
TEXT = {"schema": {"type": "string", "minLength": 1}}
BINARY = {"schema": {"type": "string", "format": "binary"}}
FILES = {"text/css": TEXT, "text/javascript": TEXT, "image/svg+xml": TEXT, "image/jpeg": BINARY}
FOR_GOOD = {"type": "string", "const": "public, max-age=31536000, immutable"}


def paths(settings: Settings) -> dict[str, Described]:
    """Describe the routes of `api.pages`, where they are served."""
    if not settings.pages:
        return {}
    page = _kept(success("A page in HTML.", {"text/html": TEXT}, HEADERS), {"const": "no-cache"})
    file = _kept(success("A file of the page.", FILES, PACKED), FOR_GOOD)
    parts = [_part("release_hash", "Of all files together."), _part("name", "Of the file.")]
    found = operation(
        "pageFile", TAG, "A file of the page at /", file | errors(), description=WHERE
    )
    found["parameters"] = [*found["parameters"], *parts]
    return {
        "/": {"get": operation("page", TAG, "A page to try the service on", page | errors())},
        "/pages/{release_hash}/{name}": {"get": found},
    }


WHERE = "The page names its files; what has another hash is of another release, and not found."


def _kept(answers: Described, cache: Described) -> Described:
    """Say of a success how long it may be kept, and by what it varies."""
    headers = answers["200"]["headers"]
    headers["Cache-Control"] = _header("How long it is to be kept.", **{"type": "string"} | cache)
    vary = _header("Only of files that are packed.", type="string", const="Accept-Encoding")
    headers["Vary"] = vary
    return answers


def _header(description: str, **schema: Any) -> Described:
    return {"description": description, "schema": schema}


def _part(name: str, description: str) -> Described:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": description,
        "schema": {"type": "string", "minLength": 1},
    }
