"""What a service's answer tells of a picture: its headers, or the envelope of an error."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from urllib3.response import BaseHTTPResponse

from bgremove.batch.records import Record
from bgremove.datatypes import Box
from bgremove.errors import ErrorCode
from bgremove.headers import Header

BAD_ANSWER = "BAD_ANSWER"  # our own code: not a bgremove service, or something in between


def record_of(response: BaseHTTPResponse, content_type: str) -> Record:
    """Read the headers of a success; a body that is not the picture wanted makes it a failure."""
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
    """Read the envelope of an error; what has none is told by its status."""
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
