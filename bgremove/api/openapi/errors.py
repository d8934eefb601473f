"""Every error code a client can meet: its status, its meaning, and an answer that carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bgremove.api.errors import MESSAGES, UNFORESEEN
from bgremove.api.schemas import REQUIRED
from bgremove.errors import NoSubjectError, OverloadedError, UpstreamError, ValidationError
from bgremove.inference.session import FAILED
from bgremove.pipeline import NO_SUBJECT as NO_SUBJECT_SENTENCE

EXAMPLE_META = {
    "requestId": "e7f8a9b0-c1d2-3456-e012-789012345678",
    "createdAt": "2026-02-17T17:40:22.456Z",
    "processingMs": 0,
}


@dataclass(frozen=True, slots=True)
class ErrorCase:
    """A code, the status it comes with, when it comes, a sentence it may say."""

    code: str
    status: int
    meaning: str
    message: str
    details: tuple[tuple[str, str], ...] = ()
    headers: tuple[str, ...] = ()

    @property
    def example(self) -> dict[str, Any]:
        """The whole envelope."""
        details = [{"field": field, "issue": issue} for field, issue in self.details]
        error = {"code": self.code, "message": self.message, "details": details}
        return {"meta": EXAMPLE_META, "data": None, "warnings": [], "error": error}


INVALID = ErrorCase(
    ValidationError.code,
    ValidationError.status,
    "The form or the picture is at fault; details names every faulty field.",
    "Missing or empty image file",
    (("image", REQUIRED),),
)
NO_SUBJECT = ErrorCase(
    NoSubjectError.code,
    NoSubjectError.status,
    "Nothing in the picture stands out from its surroundings.",
    NO_SUBJECT_SENTENCE,
    headers=("X-Model", "X-Warnings"),
)
UNAUTHORIZED = ErrorCase(
    "UNAUTHORIZED",
    401,
    "No API key or a wrong one, where the server is set to ask for keys.",
    "The API key is missing or wrong",
    headers=("WWW-Authenticate",),
)
NO_PATH = ErrorCase("NOT_FOUND", 404, "No such path.", MESSAGES[404])
NO_METHOD = ErrorCase(
    "METHOD_NOT_ALLOWED",
    405,
    "The path does not take the method; the Allow header names those it takes.",
    MESSAGES[405],
    headers=("Allow",),
)
RATE_LIMITED = ErrorCase(
    "RATE_LIMITED",
    429,
    "Too many requests of one client.",
    "Too many requests; try again when Retry-After has passed",
    headers=("Retry-After",),
)
INTERNAL = ErrorCase(
    "INTERNAL_ERROR",
    500,
    "A defect of the server; its log has the rest under requestId.",
    UNFORESEEN,
)
UPSTREAM = ErrorCase(
    UpstreamError.code,
    UpstreamError.status,
    "Processing failed, or took longer than the deadline.",
    FAILED,
)
OVERLOADED = ErrorCase(
    OverloadedError.code,
    OverloadedError.status,
    "Every place is taken and the queue is full.",
    "All 2 places are taken and the queue of 16 is full",
    headers=("Retry-After",),
)
NOT_READY = ErrorCase(
    "NOT_READY",
    503,
    "Not ready yet, or not able to be; details names what is waited for.",
    "Not ready: default session to be warm",
    (("readiness", "default session to be warm"),),
    headers=("Retry-After",),
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
