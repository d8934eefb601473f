"""The tree of domain errors, without Flask: code, status, headers, message and details.

``message`` and ``details`` reach the client. ``private`` is for the log only: texts of libraries,
paths, anything that could help an attacker.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from http import HTTPStatus
from typing import Any, ClassVar, Self

from bgremove.headers import Header


class ErrorCode(StrEnum):
    """The error codes of the contract, each with its HTTP status."""

    status: int

    VALIDATION_ERROR = "VALIDATION_ERROR", 400
    NO_SUBJECT_DETECTED = "NO_SUBJECT_DETECTED", 400
    UNAUTHORIZED = "UNAUTHORIZED", 401
    NOT_FOUND = "NOT_FOUND", 404
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED", 405
    RATE_LIMITED = "RATE_LIMITED", 429
    INTERNAL_ERROR = "INTERNAL_ERROR", 500
    UPSTREAM_ERROR = "UPSTREAM_ERROR", 502
    OVERLOADED = "OVERLOADED", 503
    NOT_READY = "NOT_READY", 503

    def __new__(cls, code: str, status: int) -> Self:
        """Make a member that is equal to its code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.status = status
        return member

    @classmethod
    def of_status(cls, status: int) -> ErrorCode:
        """Return the code for an HTTP status; the general one where several codes share it."""
        by_status = {code.status: code for code in reversed(cls)}  # the first code of a status wins
        return by_status.get(status, cls.VALIDATION_ERROR if status < 500 else cls.INTERNAL_ERROR)


@dataclass(frozen=True, slots=True)
class Detail:
    """One faulty field: its name in the form and the issue."""

    field: str
    issue: str


class BgremoveError(Exception):
    """Base class of all errors that bgremove raises.

    ``warnings`` are codes of ``X-Warnings`` about the work until the error.
    """

    code: ClassVar[ErrorCode] = ErrorCode.INTERNAL_ERROR
    warnings: tuple[str, ...] = ()

    def __init__(
        self, message: str, *, details: tuple[Detail, ...] = (), private: str | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.private = private

    @property
    def status(self) -> int:
        """The HTTP status of the answer."""
        return self.code.status

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers of the answer that this error adds."""
        return {}

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle the attributes, not the arguments: a subclass has an ``__init__`` of its own."""
        return _without_init, (type(self), *self.args), vars(self)


def _without_init(kind: type[BgremoveError], *args: object) -> BgremoveError:
    return kind.__new__(kind, *args)


class ValidationError(BgremoveError, ValueError):
    """The request is invalid; ``details`` lists every faulty field."""

    code = ErrorCode.VALIDATION_ERROR


class CompressedBodyError(ValidationError):
    """The request's body is compressed; the answer names what is accepted (RFC 7694)."""

    def __init__(self, coding: str) -> None:
        super().__init__(
            f"The body of the request is compressed (Content-Encoding: {coding}); send the form as "
            "it is, pictures are compressed already"
        )

    @property
    def status(self) -> int:
        """415, with the code of the other faults of a request."""
        return HTTPStatus.UNSUPPORTED_MEDIA_TYPE

    @property
    def headers(self) -> Mapping[str, str]:
        """The accepted encoding: none."""
        return {Header.ACCEPT_ENCODING: "identity"}


class ImageError(ValidationError):
    """The picture is invalid: of unknown type, damaged, or over a limit that the message names.

    ``setting`` is the name of the setting of that limit, "" where there is none.
    """

    def __init__(self, issue: str, *, private: str | None = None, setting: str = "") -> None:
        super().__init__(issue, details=(Detail("image", issue),), private=private)
        self.setting = setting


class NoSubjectError(BgremoveError):
    """The model finds nothing that stands out from its surroundings.

    ``model`` and ``warnings`` have the same meaning as in `Removal`.
    """

    code = ErrorCode.NO_SUBJECT_DETECTED

    def __init__(self, message: str, model: str, warnings: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.model = model
        self.warnings = warnings

    @property
    def headers(self) -> Mapping[str, str]:
        """The model that ran, and the warnings."""
        headers: dict[str, str] = {Header.MODEL: self.model}
        if self.warnings:
            headers[Header.WARNINGS] = ", ".join(self.warnings)
        return headers


class UnauthorizedError(BgremoveError):
    """The API key is missing or not accepted; ``token`` is true where one was sent."""

    code = ErrorCode.UNAUTHORIZED

    def __init__(self, message: str, *, scheme: str = "Bearer", token: bool = False) -> None:
        super().__init__(message)
        self.scheme = scheme
        self.token = token

    @property
    def headers(self) -> Mapping[str, str]:
        """How to send a key."""
        fault = ', error="invalid_token"' if self.token else ""
        return {Header.WWW_AUTHENTICATE: f'{self.scheme} realm="bgremove"{fault}'}


class UpstreamError(BgremoveError):
    """Processing failed or timed out: inference, weights, memory, or a decoder that ended."""

    code = ErrorCode.UPSTREAM_ERROR


class DeadlineExceededError(UpstreamError):
    """The request's deadline passed before its result was ready."""


class ModelUnavailableError(UpstreamError):
    """The weights of a model are missing, damaged, or differ from the manifest.

    ``reason`` explains it to the operator, without texts of libraries; `/readyz` shows it.
    """

    def __init__(self, message: str, *, reason: str, private: str | None = None) -> None:
        super().__init__(message, private=f"{reason}: {private}" if private else reason)
        self.reason = reason


class OverloadedError(BgremoveError):
    """The server has no place, no memory or not enough time for a request."""

    code = ErrorCode.OVERLOADED

    def __init__(self, message: str, *, retry_after_s: int = 1) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s

    @property
    def headers(self) -> Mapping[str, str]:
        """When to try again."""
        return {Header.RETRY_AFTER: str(self.retry_after_s)}


class NotReadyError(BgremoveError):
    """The worker cannot take pictures yet, or not any more; raised by `/readyz` alone."""

    code = ErrorCode.NOT_READY

    def __init__(self, waiting_for: Iterable[str]) -> None:
        details = tuple(Detail("readiness", name) for name in waiting_for)
        super().__init__("Not ready: " + "; ".join(each.issue for each in details), details=details)

    @property
    def headers(self) -> Mapping[str, str]:
        """When to ask again."""
        return {Header.RETRY_AFTER: "1"}


CLIENT_GONE = "CLIENT_GONE"  # in place of a code, in the log and in metrics


class ClientGoneError(Exception):
    """The client has disconnected; ``step`` was the last step that ran.

    Not a domain error, because no client receives its code or message.
    """

    def __init__(self, step: str) -> None:
        super().__init__(f"the client has gone, found in {step}")
        self.step = step


class SettingsError(BgremoveError):
    """All faults of the configuration; raised at start-up, never in a request."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("; ".join(faults))
        self.faults = faults


class WeightsError(BgremoveError):
    """Weights could not be fetched, verified or built; raised by commands, never in a request."""


class PlanError(BgremoveError):
    """The input or output paths of a command are unusable; raised before any file is touched."""
