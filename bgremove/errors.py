"""The tree of domain errors: a code, a status, a sentence for the client, details; no Flask here.

``message`` and ``details`` reach the client. ``private`` is for the log only: library texts, paths,
anything an attacker could learn from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Detail:
    """One faulty field: its name in the form and what is wrong with it."""

    field: str
    issue: str


class BgremoveError(Exception):
    """Base of every error that bgremove raises on purpose."""

    code: ClassVar[str] = "INTERNAL_ERROR"
    status: ClassVar[int] = 500

    def __init__(
        self, message: str, *, details: tuple[Detail, ...] = (), private: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.private = private


class ValidationError(BgremoveError):
    """The request is at fault; ``details`` lists every faulty field."""

    code = "VALIDATION_ERROR"
    status = 400


class ImageError(ValidationError):
    """The picture is at fault: unknown type, damaged, or over a limit that the message names."""

    def __init__(self, issue: str, *, private: str | None = None) -> None:
        super().__init__(issue, details=(Detail("image", issue),), private=private)


class NoSubjectError(BgremoveError):
    """The model sees nothing that stands out from its surroundings.

    ``model`` and ``warnings`` are those that a success would have told.
    """

    code = "NO_SUBJECT_DETECTED"
    status = 400

    def __init__(self, message: str, model: str, warnings: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.model = model
        self.warnings = warnings


class UnauthorizedError(BgremoveError):
    """No key, or not one that is let in; ``token``: one was sent, and it is at fault."""

    code = "UNAUTHORIZED"
    status = 401

    def __init__(self, message: str, *, scheme: str = "Bearer", token: bool = False) -> None:
        super().__init__(message)
        fault = ', error="invalid_token"' if token else ""
        self.challenge = f'{scheme} realm="bgremove"{fault}'  # for WWW-Authenticate


class UpstreamError(BgremoveError):
    """Processing failed or timed out: inference, weights, memory, a decoder that died."""

    code = "UPSTREAM_ERROR"
    status = 502


class DeadlineExceededError(UpstreamError):
    """The request's deadline passed before its result was ready."""


class ModelUnavailableError(UpstreamError):
    """The weights of a model are absent, damaged, or do not answer as the manifest says.

    ``reason`` tells the operator why, in our own words: `/readyz` shows it.
    """

    def __init__(self, message: str, *, reason: str, private: str | None = None) -> None:
        super().__init__(message, private=f"{reason}: {private}" if private else reason)
        self.reason = reason


class OverloadedError(BgremoveError):
    """All places are taken and the queue is full."""

    code = "OVERLOADED"
    status = 503
    retry_after_s: ClassVar[int] = 1


class ClientGoneError(Exception):
    """Nobody waits for the answer any more; ``step`` was the last that ran.

    No domain error: there is nobody to be told a code or a sentence.
    """

    def __init__(self, step: str) -> None:
        super().__init__(f"the client has gone, found in {step}")
        self.step = step


class SettingsError(BgremoveError):
    """Configuration faults, all of them at once; raised at start-up, never in a request."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class WeightsError(BgremoveError):
    """Weights could not be fetched, verified or built; raised by commands, never in a request."""


class PlanError(BgremoveError):
    """The pictures or the output that a command names do not do; raised before any is touched."""
