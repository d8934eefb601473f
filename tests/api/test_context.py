"""The id, the access line and the log of a request."""

from __future__ import annotations

import io
import logging
import uuid

import pytest

from bgremove import log
from bgremove.api.services import services_of
from bgremove.log import JsonFormatter
from bgremove.serving.request import new_request_id
from tests.api.conftest import LogLines
from tests.support.http import PATH, FlaskDoor, file, form, post, text

STAGES = {"probe", "decode", "load", "preprocess", "inference", "matte", "foreground", "encode"}


def test_a_good_id_is_kept() -> None:
    assert new_request_id("aZ09_-") == "aZ09_-"


@pytest.mark.parametrize(
    "offered", [None, "", "a\n", "\na", "a\r\nX: y", "é", "٣", "a" * 65, "a b", "a\x00"]
)
def test_a_bad_id_is_replaced(offered: str | None) -> None:
    made = new_request_id(offered)
    assert str(uuid.UUID(made)) == made


def access_lines(log_lines: LogLines) -> list[dict[str, object]]:
    return [line for line in log_lines() if line["logger"] == "bgremove.access"]


def test_a_success_is_one_line_with_all_there_is_to_know(
    door: FlaskDoor, picture: bytes, log_lines: LogLines
) -> None:
    body = form(file("image", picture), text("subject", "human"), text("output_format", "mask"))
    answer = post(door, body, X_Request_Id="mine")
    (line,) = access_lines(log_lines)
    assert line["requestId"] == "mine"
    assert (line["method"], line["path"], line["status"]) == ("POST", PATH, 200)
    assert (line["subject"], line["format"], line["model"]) == ("human", "mask", "tiny")
    assert line["pixels"] == 96 * 64
    assert line["warnings"] == ["model-fallback"]
    assert line["bytes"] == len(answer.body)
    stages = line["stages"]
    assert isinstance(stages, dict)
    assert set(stages) == STAGES
    assert isinstance(line["ms"], int)
    assert line["ms"] + 1 >= sum(stages.values()) - len(stages)


def test_an_error_is_one_line_with_its_code(door: FlaskDoor, log_lines: LogLines) -> None:
    post(door, form(), X_Request_Id="mine")
    (line,) = access_lines(log_lines)
    assert (line["requestId"], line["status"], line["code"]) == ("mine", 400, "VALIDATION_ERROR")


def test_every_line_of_a_request_has_its_id(door: FlaskDoor, log_lines: LogLines) -> None:
    post(door, b"broken", X_Request_Id="mine")
    lines = log_lines()
    assert len(lines) == 2
    assert {line["requestId"] for line in lines} == {"mine"}


def test_health_is_silent_while_it_is_well(door: FlaskDoor, log_lines: LogLines) -> None:
    services_of(door.app).warm_up.run()
    door.send("GET", "/livez")
    door.send("GET", "/readyz")
    assert access_lines(log_lines) == []
    door.send("POST", "/livez")
    assert len(access_lines(log_lines)) == 1


def test_no_client_can_forge_a_line(door: FlaskDoor, log_lines: LogLines) -> None:
    forged = '"}\r\n{"level": "FORGED", "requestId": "x"}\u2028\x85\x0b'
    door.send("POST", "/%0a%7b%22level%22:%22FORGED%22%7d%E2%80%A8%C2%85", headers={"X-A": "b"})
    post(door, form(text(forged.replace('"', "'"), forged), file("image", b"x")))
    post(door, b"x", 'multipart/form-data; boundary="\x85{}"')
    post(door, b"--XyZ\r\nContent-Disposition: \xff\n{}\r\n\r\n--XyZ--", X_Request_Id='x"}{"a":"')
    lines = log_lines()  # each line parses
    assert len(access_lines(log_lines)) == 4
    assert all(line["level"] in {"INFO", "WARNING", "ERROR"} for line in lines)
    assert all("\n" not in str(line["path"]) or "FORGED" in str(line["path"]) for line in lines
               if "path" in line)  # fmt: skip


def test_a_line_is_one_line_whatever_it_holds() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    record = logging.makeLogRecord({"msg": "a\nb\u2028c\x85d\ud800", "cause": object()})
    handler.emit(record)
    assert len(stream.getvalue().splitlines()) == 1
    assert stream.getvalue().isascii()


def test_the_id_is_forgotten_after_the_request(door: FlaskDoor) -> None:
    door.send("GET", "/livez", headers={"X-Request-Id": "mine"})
    assert log.request_id.get() is None
