"""The description of an operation, which stands beside its view."""

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
    """What an operation takes and answers.

    ``success`` is the answer 200, as `answers.success` makes it. ``failures`` are its own errors,
    beside those that any operation can have. ``description`` may depend on the settings.
    ``more`` are keys of OpenAPI's Operation Object, such as ``requestBody``.
    """

    name: str
    tag: str
    summary: str
    success: Described
    failures: tuple[ErrorCase, ...] = ()
    description: str | Callable[[Settings], str] = ""
    parameters: tuple[Described, ...] = ()
    more: Described = field(default_factory=dict)

    def as_openapi(self, settings: Settings) -> Described:
        """Return the Operation Object of the OpenAPI document."""
        told = self.description if isinstance(self.description, str) else self.description(settings)
        given: Described = {
            "operationId": self.name,
            "tags": [self.tag],
            "summary": self.summary,
            "parameters": [*PARAMETERS, *self.parameters],
        }
        about = {"description": told} if told else {}
        return given | about | self.more | {"responses": self.success | errors(*self.failures)}


def described(operation: Operation) -> Callable[[View], View]:
    """Attach its description to a view."""

    def mark(view: View) -> View:
        setattr(view, ATTRIBUTE, operation)
        return view

    return mark


def operation_of(view: Callable[..., Any]) -> Operation:
    """Return the description of a view; raises AttributeError where it has none."""
    found: Operation = getattr(view, ATTRIBUTE)
    return found
