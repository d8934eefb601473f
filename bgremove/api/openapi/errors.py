"""Every error code of the API: its status, its meaning and an example answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bgremove.api.errors import MESSAGES, UNFORESEEN
from bgremove.api.schemas.form import REQUIRED
from bgremove.errors import (
    ErrorCode,
    NoSubjectError,
    OverloadedError,
    UpstreamError,
    ValidationError,
)
from bgremove.headers import Header
from bgremove.inference.session import FAILED
from bgremove.sight.salience import NO_SUBJECT as NO_SUBJECT_SENTENCE

EXAMPLE_META = {
    "requestId": "e7f8a9b0-c1d2-3456-e012-789012345678",
    "createdAt": "2026-02-17T17:40:22.456Z",
    "processingMs": 0,
}


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
