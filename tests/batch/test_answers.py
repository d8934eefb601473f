import json
from typing import Any

import pytest
from urllib3 import HTTPResponse

from bgremove.batch.answers import BAD_ANSWER, failure_of, record_of
from bgremove.batch.records import Record
from bgremove.datatypes import Box
from bgremove.errors import ErrorCode

HEADERS = {
    "Content-Type": "image/png",
    "X-Model": "u2net-int8",
    "X-Confidence": "0.93",
    "X-Foreground-Top": "1",
    "X-Foreground-Left": "2",
    "X-Foreground-Width": "3",
    "X-Foreground-Height": "4",
    "X-Warnings": "model-fallback, animation-first-frame",
}


def response(status: int = 200, body: bytes = b"", **changes: str) -> HTTPResponse:
    headers = HEADERS | {name.replace("_", "-"): value for name, value in changes.items()}
    return HTTPResponse(body, headers, status)


def test_the_headers_of_a_success_are_its_record() -> None:
    assert record_of(response(), "image/png") == Record(
        model="u2net-int8",
        confidence=0.93,
        box=Box(1, 2, 3, 4),
        warnings=("model-fallback", "animation-first-frame"),
    )


def test_headers_of_an_older_service_may_lack() -> None:
    bare = HTTPResponse(b"", {"Content-Type": "image/png; x=y"}, 200)
    assert record_of(bare, "image/png") == Record()


@pytest.mark.parametrize(
    "changes", [{"Content_Type": "text/html"}, {"X_Confidence": "high"}, {"X_Foreground_Top": "?"}]
)
def test_an_answer_that_is_no_cutout_is_a_failure(changes: dict[str, Any]) -> None:
    assert record_of(response(**changes), "image/png").code == BAD_ANSWER


def test_the_envelope_of_an_error_is_its_record() -> None:
    body = json.dumps({"error": {"code": "NO_SUBJECT_DETECTED", "message": "Nothing"}}).encode()
    record = failure_of(response(400, body))
    assert (record.code, record.message) == ("NO_SUBJECT_DETECTED", "Nothing")
    assert record.model == "u2net-int8"


@pytest.mark.parametrize("body", [b"<html>", b"[]", b'{"error": null}', b'"a"', b""])
def test_an_error_without_envelope_is_told_by_its_status(body: bytes) -> None:
    assert failure_of(response(404, body)).code == "HTTP_404"
    assert failure_of(response(401, body)).code == ErrorCode.UNAUTHORIZED
