"""Records of pictures, read from a service's responses: the headers or the error envelope."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from urllib3.response import BaseHTTPResponse

from bgremove.batch.records import Record
from bgremove.datatypes import Box
from bgremove.errors import ErrorCode
from bgremove.headers import Header

BAD_ANSWER = "BAD_ANSWER"  # our own code: the response is from a proxy or another server


def record_of(response: BaseHTTPResponse, content_type: str) -> Record:
    """Read the headers of a success; a body of another content type makes it a failure."""
    headers = response.headers
    has = headers.get("Content-Type", "no content type")
    if has.partition(";")[0].strip() != content_type:
        return Record(BAD_ANSWER, f"the service answered {has}, not {content_type}")
    try:
        confidence = headers.get(Header.CONFIDENCE)
        return Record(
            model=headers.get(Header.MODEL),
            confidence=None if confidence is None else float(confidence),
            box=_box(headers),
            warnings=_warnings(headers),
        )
    except ValueError as error:
        return Record(BAD_ANSWER, f"the service's headers are not bgremove's: {error}")


def failure_of(response: BaseHTTPResponse) -> Record:
    """Read the envelope of an error; a response without an envelope is described by its status."""
    headers = response.headers
    try:
        error = json.loads(response.data)["error"]
        code, message = str(error["code"]), str(error["message"])
    except (ValueError, TypeError, KeyError):
        code, message = f"HTTP_{response.status}", "the answer is not a bgremove service's"
    if response.status == HTTPStatus.UNAUTHORIZED:
        code = ErrorCode.UNAUTHORIZED
    return Record(code, message, headers.get(Header.MODEL), warnings=_warnings(headers))


def _warnings(headers: Mapping[str, str]) -> tuple[str, ...]:
    words = (word.strip() for word in headers.get(Header.WARNINGS, "").split(","))
    return tuple(word for word in words if word)


def _box(headers: Mapping[str, str]) -> Box | None:
    edges = [headers.get(f"X-Foreground-{edge}") for edge in ("Top", "Left", "Width", "Height")]
    return None if None in edges else Box(*(int(edge) for edge in edges if edge is not None))
