"""The description of an operation, its success and its errors, attached to its view.

Views outside the API are marked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, TypeVar

from marshmallow import Schema

from bgremove.api.openapi.components import ANYWHERE, HEADERS, INVALID, ErrorCase
from bgremove.api.schemas import ErrorEnvelopeSchema
from bgremove.headers import Header
from bgremove.settings import Settings

Described = dict[str, Any]

ALWAYS = (Header.REQUEST_ID, Header.CACHE_CONTROL, Header.CONTENT_TYPE_OPTIONS)
PARAMETERS = [Header.REQUEST_ID]  # names in the components
UNREADABLE = "VALIDATION_ERROR for a request that is not well-formed HTTP or exceeds its limits"
View = TypeVar("View", bound=Callable[..., Any])
ATTRIBUTE = "bgremove_operation"


def success(description: str, content: Described, headers: Iterable[str] = ()) -> Described:
    """Describe a 200. ``headers`` are names of the components."""
    return {"200": _answer(description, content, headers)}


def json_success(description: str, schema: type[Schema], example: Any) -> Described:
    """Describe a 200 with a JSON body by its schema."""
    return success(description, {"application/json": {"schema": ref(schema), "example": example}})


def errors(*cases: ErrorCase) -> Described:
    """Describe the errors of an operation. ``default`` covers errors of any operation."""
    by_status = groupby(sorted(cases, key=lambda case: case.status), key=lambda case: case.status)
    answers = {str(status): _errors(tuple(group)) for status, group in by_status}
    return answers | {"default": {"$ref": "#/components/responses/Failure"}}


def failure() -> Described:
    """Describe the answer ``default``."""
    words = "; ".join(f"{case.status} {case.code}" for case in ANYWHERE)
    description = f"Any other error has the same shape: {words}; {UNREADABLE}."
    return _errors((*ANYWHERE, INVALID)) | {"description": description}


def name_of(schema: type[Schema]) -> str:
    """Return the name of a schema in the document."""
    return schema.__name__.removesuffix("Schema")


def ref(schema: type[Schema]) -> Described:
    """Refer to a schema of the components."""
    return {"$ref": f"#/components/schemas/{name_of(schema)}"}


def _errors(cases: tuple[ErrorCase, ...]) -> Described:
    codes = [case.code for case in cases]
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    body = {
        "schema": {"allOf": [ref(ErrorEnvelopeSchema), narrowed]},
        "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes},
    }
    description = " ".join(f"{case.code}: {case.meaning}" for case in cases)
    headers = {name for case in cases for name in case.headers}
    shared = {name for name in headers if all(name in case.headers for case in cases)}
    answer = _answer(description, {"application/json": body}, sorted(shared))
    answer["headers"] |= {name: HEADERS[name] for name in sorted(headers - shared)}
    return answer


def _answer(description: str, content: Described, headers: Iterable[str]) -> Described:
    """Describe an answer.

    All of its headers are present, except those in `headers.OPTIONAL`.
    """
    named = {name: {"$ref": f"#/components/headers/{name}"} for name in (*ALWAYS, *headers)}
    return {"description": description, "headers": named, "content": content}


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
