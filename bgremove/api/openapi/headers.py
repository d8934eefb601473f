"""The headers of requests that carry a key, and of all answers with their schemas.

Operations refer to the headers of answers by name.
"""

from __future__ import annotations

from typing import Any

from bgremove.datatypes import WarningCode
from bgremove.headers import Header
from bgremove.serving.request import REQUEST_ID_PATTERN

WORD = "|".join(WarningCode)
MEANINGS = "; ".join(f"{code}: {code.meaning}" for code in WarningCode)
# Every other header is present on each answer that names it.
OPTIONAL = {Header.WARNINGS}


def _header(description: str, **schema: Any) -> dict[str, Any]:
    return {"description": description, "schema": schema}


def _count(description: str, least: int = 0) -> dict[str, Any]:
    return _header(description, type="integer", minimum=least)


HEADERS: dict[str, dict[str, Any]] = {
    Header.REQUEST_ID: _header(
        "The X-Request-Id of the request if well-formed, else a new UUID; also in the log.",
        type="string",
        pattern=f"^{REQUEST_ID_PATTERN.pattern}$",
    ),
    Header.CACHE_CONTROL: _header(
        "The answer must not be stored.", type="string", const="no-store"
    ),
    Header.CONTENT_TYPE_OPTIONS: _header(
        "Clients must not guess another type than Content-Type.", type="string", const="nosniff"
    ),
    Header.VARY: _header(
        "The request header that the answer depends on.", type="string", const="Accept"
    ),
    Header.PROCESSING_MS: _count("Milliseconds from the request to the answer."),
    Header.SERVER_TIMING: _header(
        "Milliseconds of each stage.",
        type="string",
        pattern=r"^[a-z]+;dur=[0-9.]+(, [a-z]+;dur=[0-9.]+)*$",
    ),
    Header.MODEL: _header(
        "The networks that ran, joined by +; none where no network was needed.",
        type="string",
        minLength=1,
    ),
    Header.CONFIDENCE: _header(
        "The expected overlap (IoU) of the mask and the true subject.",
        type="number",
        minimum=0,
        maximum=1,
    ),
    Header.WIDTH: _count("Width of the answer in pixels.", 1),
    Header.HEIGHT: _count("Height of the answer in pixels.", 1),
    Header.FOREGROUND_TOP: _count("Pixels above the subject's box, in the picture sent."),
    Header.FOREGROUND_LEFT: _count("Pixels to the left of the subject's box."),
    Header.FOREGROUND_WIDTH: _count("Width of the subject's box in pixels.", 1),
    Header.FOREGROUND_HEIGHT: _count("Height of the subject's box in pixels.", 1),
    Header.WARNINGS: _header(
        f"Differences between the answer and the request, if any. {MEANINGS}.",
        type="string",
        pattern=f"^({WORD})(, ({WORD}))*$",
    ),
    Header.RETRY_AFTER: _count("Seconds to wait before the next attempt."),
    Header.ALLOW: _header("The methods of the path.", type="string", minLength=1),
    Header.WWW_AUTHENTICATE: _header("How to send a key.", type="string", minLength=1),
}


def components() -> dict[str, dict[str, Any]]:
    """Return the headers as components, marked as required or optional."""
    return {name: header | {"required": name not in OPTIONAL} for name, header in HEADERS.items()}


def _key(header: str, description: str) -> dict[str, Any]:
    return {"type": "apiKey", "in": "header", "name": header, "description": description}


SCHEMES: dict[str, dict[str, Any]] = {
    "ApiKey": _key(Header.API_KEY, "A key."),
    "Bearer": {"type": "http", "scheme": "bearer", "description": "A key, as a bearer token."},
    "RapidApiKey": _key(Header.RAPIDAPI_KEY, "A key, in the header of RapidAPI's clients."),
    "RapidApiProxySecret": _key(
        Header.RAPIDAPI_PROXY_SECRET,
        "The secret that RapidAPI's gateway sends in place of the keys of its clients.",
    ),
}
# Any one of them, or none: a server without keys requires none and ignores them.
_ANY: list[dict[str, list[str]]] = [{name: []} for name in SCHEMES]
OPTIONAL_KEY = [{}, *_ANY]
