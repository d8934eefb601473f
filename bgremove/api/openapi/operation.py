"""The description of an operation, attached to its view; views outside the API are marked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from bgremove.api.openapi.answers import PARAMETERS, Described, errors
from bgremove.api.openapi.errors import ErrorCase
from bgremove.settings import Settings

View = TypeVar("View", bound=Callable[..., Any])
ATTRIBUTE = "bgremove_operation"


@dataclass(frozen=True, slots=True)
class Operation:
    """The input and the answers of an operation.

    ``success`` is the answer 200, made by `answers.success`. ``failures`` are the errors of this
    operation, in addition to those of any operation. ``description`` is CommonMark and may depend
    on the settings. ``more`` are keys of OpenAPI's Operation Object, such as ``requestBody``.
    """

    name: str
    tag: str
    summary: str
    success: Described
    failures: tuple[ErrorCase, ...] = ()
    description: str | Callable[[Settings], str] = ""
    more: Described = field(default_factory=dict)

    def as_openapi(self, settings: Settings) -> Described:
        """Return the Operation Object of the OpenAPI document."""
        text = self.description if isinstance(self.description, str) else self.description(settings)
        given: Described = {
            "operationId": self.name,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": PARAMETERS,
        }
        about = {"description": text} if text else {}
        return given | about | self.more | {"responses": self.success | errors(*self.failures)}


def described(operation: Operation) -> Callable[[View], View]:
    """Attach a description to a view."""

    def mark(view: View) -> View:
        setattr(view, ATTRIBUTE, operation)
        return view

    return mark


def undescribed(view: View) -> View:
    """Mark a view that is not part of the API, such as a page or the metrics."""
    setattr(view, ATTRIBUTE, None)
    return view


def operation_of(view: Callable[..., Any]) -> Operation | None:
    """Return the description of a view; None for a view that is not part of the API.

    Raises:
        AttributeError: The view has no description and is not marked by `undescribed`.

    """
    found: Operation | None = getattr(view, ATTRIBUTE)
    return found
