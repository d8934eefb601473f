"""Components of the OpenAPI document: the error codes, the headers of answers, and the keys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bgremove.api.errors import MESSAGES, UNFORESEEN
from bgremove.api.form import REQUIRED
from bgremove.datatypes import WarningCode
from bgremove.errors import (
    ErrorCode,
    NoSubjectError,
    OverloadedError,
    UpstreamError,
    ValidationError,
)
from bgremove.headers import Header
from bgremove.inference.session import FAILED
from bgremove.serving.request import REQUEST_ID_PATTERN
from bgremove.sight.salience import NO_SUBJECT as NO_SUBJECT_SENTENCE

EXAMPLE_META = {
    "requestId": "e7f8a9b0-c1d2-3456-e012-789012345678",
    "createdAt": "2026-02-17T17:40:22.456Z",
    "processingMs": 0,
}
WORD = "|".join(WarningCode)
MEANINGS = "; ".join(f"{code}: {code.meaning}" for code in WarningCode)
# Every other header is present on each answer that names it.
OPTIONAL = {Header.WARNINGS}


@dataclass(frozen=True, slots=True)
class ErrorCase:
    """An error code, its cause, and an example of its message, details and headers."""

    code: ErrorCode
    meaning: str
    message: str
    details: tuple[tuple[str, str], ...] = ()
    headers: tuple[str, ...] = ()

    @property
    def status(self) -> int:
        """The HTTP status."""
        return self.code.status

    @property
    def example(self) -> dict[str, Any]:
        """The whole envelope."""
        details = [{"field": field, "issue": issue} for field, issue in self.details]
        error = {"code": self.code, "message": self.message, "details": details}
        return {"meta": EXAMPLE_META, "data": None, "warnings": [], "error": error}


INVALID = ErrorCase(
    ValidationError.code,
    "The form or the picture has a fault; details names every faulty field.",
    "Missing or empty image file",
    (("image", REQUIRED),),
)
NO_SUBJECT = ErrorCase(
    NoSubjectError.code,
    "Nothing in the picture stands out from its surroundings.",
    NO_SUBJECT_SENTENCE,
    headers=(Header.MODEL, Header.WARNINGS),
)
UNAUTHORIZED = ErrorCase(
    ErrorCode.UNAUTHORIZED,
    "No API key, or a wrong one, on a server that asks for keys.",
    "The API key is missing or wrong",
    headers=(Header.WWW_AUTHENTICATE,),
)
NO_PATH = ErrorCase(ErrorCode.NOT_FOUND, "No such path.", MESSAGES[404])
NO_METHOD = ErrorCase(
    ErrorCode.METHOD_NOT_ALLOWED,
    "The path does not have this method; the header Allow names its methods.",
    MESSAGES[405],
    headers=(Header.ALLOW,),
)
RATE_LIMITED = ErrorCase(
    ErrorCode.RATE_LIMITED,
    "Too many requests of one client.",
    "Too many requests; try again when Retry-After has passed",
    headers=(Header.RETRY_AFTER,),
)
INTERNAL = ErrorCase(
    ErrorCode.INTERNAL_ERROR,
    "A defect of the server; its log has the details under requestId.",
    UNFORESEEN,
)
UPSTREAM = ErrorCase(
    UpstreamError.code,
    "Processing failed, or took longer than the deadline.",
    FAILED,
)
OVERLOADED = ErrorCase(
    OverloadedError.code,
    "All places and the queue are full.",
    "All 2 places are taken and the queue of 16 is full",
    headers=(Header.RETRY_AFTER,),
)
NOT_READY = ErrorCase(
    ErrorCode.NOT_READY,
    "Not ready; details names what is missing.",
    "Not ready: default session to be warm",
    (("readiness", "default session to be warm"),),
    headers=(Header.RETRY_AFTER,),
)
CATALOGUE = (
    INVALID,
    NO_SUBJECT,
    UNAUTHORIZED,
    NO_PATH,
    NO_METHOD,
    RATE_LIMITED,
    INTERNAL,
    UPSTREAM,
    OVERLOADED,
    NOT_READY,
)
ANYWHERE = (NO_PATH, NO_METHOD, RATE_LIMITED, INTERNAL, OVERLOADED)


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
