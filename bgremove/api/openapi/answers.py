"""The parts of an operation's description: its success and its errors."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import groupby
from typing import Any

from marshmallow import Schema

from bgremove.api.openapi.errors import ANYWHERE, INVALID, ErrorCase
from bgremove.api.openapi.headers import HEADERS
from bgremove.api.schemas.answers import ErrorEnvelopeSchema
from bgremove.headers import Header

Described = dict[str, Any]

ALWAYS = (Header.REQUEST_ID, Header.CACHE_CONTROL, Header.CONTENT_TYPE_OPTIONS)
PARAMETERS = [Header.REQUEST_ID]  # names in the components
UNREADABLE = "VALIDATION_ERROR for a request that is not well-formed HTTP or exceeds its limits"


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
