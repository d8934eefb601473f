"""Sending pictures to services: a real gunicorn, and networks that fail in every way."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import pytest
from urllib3 import HTTPResponse

from bgremove.batch.local import LocalRemover
from bgremove.batch.records import FATAL, UNREACHABLE, Record
from bgremove.batch.remote import (
    BAD_ANSWER,
    PATH,
    TRIES_OF_BROKEN,
    RemoteRemover,
    failure_of,
    record_of,
)
from bgremove.datatypes import Box
from bgremove.errors import ErrorCode
from bgremove.options import Colour, Encoding, Margin, Options, OutputFormat, Subject
from bgremove.settings import Settings
from tests.support.http import Server, free_port
from tests.support.pictures import assert_same_picture
from tests.support.scripted_server import Reply, scripted_server
from tests.support.tiny import ball, encoded

GOOD = Reply(200, {"Content-Type": "image/png", "X-Model": "m"}, b"a cut-out")
FULL = Reply(503, {"Retry-After": "1"}, b"{}")
LISTING = Options(
    output_format=OutputFormat.WHITE_BG,
    background=Colour(1, 20, 255),
    margin=Margin(share=0.08),
    canvas=(150, 130),
    encoding=Encoding.WEBP,
)
WHITE_PNG = Options(Subject.PRODUCT, OutputFormat.WHITE_BG, encoding=Encoding.PNG)


@contextmanager
def remote(
    url: str,
    *,
    options: Options | None = None,
    key: str | None = None,
    retry_for_s: float = 20.0,
    stop: threading.Event | None = None,
) -> Iterator[RemoteRemover]:
    remover = RemoteRemover(
        url,
        options or Options(),
        key=key,
        retry_for_s=retry_for_s,
        at_once=4,
        stop=stop or threading.Event(),
    )
    yield remover
    remover.close()


@pytest.mark.parametrize(
    "options", [Options(), Options(Subject.HUMAN, OutputFormat.MASK), WHITE_PNG, LISTING]
)
def test_a_service_answers_what_this_process_would(
    service: tuple[str, Server], settings: Settings, options: Options
) -> None:
    here = LocalRemover(settings, options)
    picture = encoded(ball())
    with remote(service[0], options=options) as there:
        sent, computed = there(picture), here(picture)
    here.close()
    assert_same_picture(sent.data, computed.data)
    assert sent.record.confidence == pytest.approx(computed.record.confidence, abs=0.006)
    assert (sent.record.box, sent.record.model, sent.record.warnings) == (
        computed.record.box,
        computed.record.model,
        computed.record.warnings,
    )


def test_a_services_reason_is_told(service: tuple[str, Server]) -> None:
    with remote(service[0]) as there:
        refused = there(b"no picture").record
        empty = there(encoded(ball() // 255)).record
    assert refused.code == "VALIDATION_ERROR"
    assert refused.message is not None
    assert "not a JPEG, PNG, BMP, WEBP or GIF" in refused.message
    assert (empty.code, empty.model) == ("NO_SUBJECT_DETECTED", "tiny")


def test_a_full_service_is_asked_again_after_the_time_it_named() -> None:
    with scripted_server(FULL, FULL, GOOD) as server, remote(server.url) as there:
        assert there(b"picture").data == b"a cut-out"
    pauses = [after.at - before.at for before, after in pairwise(server.seen)]
    assert len(pauses) == 2
    assert min(pauses) >= 0.99
    assert {seen.path for seen in server.seen} == {PATH}


def test_an_address_of_another_server_ends_the_batch() -> None:
    with scripted_server(Reply(404, {}, b"<html>")) as server, remote(server.url) as there:
        record = there(b"picture").record
    assert record.code in FATAL
    assert record.message == "the answer is not a bgremove service's"


def test_too_many_requests_are_waited_for_as_well() -> None:
    limited = Reply(429, {"Retry-After": "1"}, b"{}")
    with scripted_server(limited, GOOD) as server, remote(server.url) as there:
        assert there(b"picture").data == b"a cut-out"
    assert server.seen[1].at - server.seen[0].at >= 0.99


@pytest.mark.parametrize(
    "fault",
    [
        Reply(resets=True),
        Reply(200, GOOD.headers, bytes(1_000_000), sent=10_000),
        Reply(502, {}, b"<html>"),
        Reply(504, {}, b"<html>"),
    ],
    ids=["reset", "died in the middle", "502", "504"],
)
def test_a_connection_that_breaks_is_tried_again(fault: Reply) -> None:
    with scripted_server(fault, fault, GOOD) as server, remote(server.url) as there:
        assert there(b"picture").data == b"a cut-out"
    assert len(server.seen) == 3


def test_a_picture_that_breaks_every_worker_is_given_up() -> None:
    with scripted_server(Reply(502, {}, b"<html>")) as server, remote(server.url) as there:
        assert there(b"picture").record.code == "HTTP_502"
    assert len(server.seen) == TRIES_OF_BROKEN


def test_a_service_that_fails_once_is_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    fault = Reply(resets=True)
    with scripted_server(fault, fault, GOOD) as server, remote(f"{server.url}/") as there:
        assert there(b"picture").data == b"a cut-out"
    assert {seen.path for seen in server.seen} == {PATH}
    assert caplog.text.count("trying again for 20 s") == 1


@pytest.mark.parametrize("retry_after", ["soon", "-1", ""])
def test_a_retry_after_that_cannot_be_read_is_an_ordinary_failure(retry_after: str) -> None:
    full = Reply(503, {"Retry-After": retry_after}, b"{}")
    with scripted_server(full, GOOD) as server, remote(server.url) as there:
        assert there(b"picture").data == b"a cut-out"


def test_where_nobody_is_there_it_ends_and_says_why() -> None:
    with remote(f"http://127.0.0.1:{free_port()}", retry_for_s=0.2) as there:
        record = there(b"picture").record
    assert record.code == UNREACHABLE
    assert record.message is not None
    assert "Connection refused" in record.message
    assert "object at 0x" not in record.message


def test_a_pause_beyond_the_patience_is_not_waited_for() -> None:
    patient = Reply(503, {"Retry-After": "3600"}, b"{}")
    with scripted_server(patient) as server, remote(server.url) as there:
        assert there(b"picture").record.code == UNREACHABLE


def test_stopping_ends_the_wait() -> None:
    stop = threading.Event()
    timer = threading.Timer(0.2, stop.set)
    with (
        scripted_server(Reply(503, {"Retry-After": "15"}, b"{}")) as server,
        remote(server.url, stop=stop) as there,
    ):
        timer.start()
        with pytest.raises(CancelledError):
            there(b"picture")
    timer.join()
    assert len(server.seen) == 1


def test_the_key_goes_along_and_a_wrong_one_is_told() -> None:
    refusal = Reply(401, {}, b'{"error": {"code": "UNAUTHORIZED", "message": "No such key"}}')
    with scripted_server(refusal) as server, remote(server.url, key="secret") as there:
        record = there(b"picture").record
    assert (record.code, record.message) == (ErrorCode.UNAUTHORIZED, "No such key")
    assert [seen.headers["X-Api-Key"] for seen in server.seen] == ["secret"]


def test_a_redirect_is_not_followed_with_the_key() -> None:
    with scripted_server(GOOD) as other:
        away = Reply(307, {"Location": other.url}, b"")
        with scripted_server(away) as server, remote(server.url, key="secret") as there:
            assert there(b"picture").record.code == "HTTP_307"
    assert other.seen == []


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
