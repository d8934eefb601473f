"""Every row of the contract's table of errors that this release can raise."""

from __future__ import annotations

import struct

import numpy as np
import pytest

from tests.support.http import PATH, Door, error_of, file, form, post, text
from tests.support.tiny import ball, encoded


def png_of_size(width: int, height: int) -> bytes:
    data = bytearray(encoded(ball()))
    data[16:24] = struct.pack(">II", width, height)
    return bytes(data)


@pytest.mark.parametrize(
    "content",
    [
        b"plain text",
        b"%PDF-1.7",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"II*\0",
        b"\0\0\0\x1cftypavif",
        b"\0" * 100,
        b"\x89PNG\r\n\x1a\n",
        b"\xff\xd8\xff",
        b"GIF89a",
        b"RIFF\0\0\0\0WEBP",
        b"BM",
        encoded(ball())[:60],
        encoded(ball(), ".jpg")[:200],
    ],
)
def test_what_is_no_picture_is_refused_by_content(door: Door, content: bytes) -> None:
    body = form(file("image", content, "\r\nContent-Type: image/png", filename='filename="a.png"'))
    error = error_of(post(door, body), 400, "VALIDATION_ERROR")
    assert [detail["field"] for detail in error["details"]] == ["image"]
    assert error["details"][0]["issue"] in error["message"]


@pytest.mark.parametrize(
    ("width", "height", "limit"),
    [(20_000, 10, "16,383"), (16_000, 16_000, "52,000,000"), (0, 10, "damaged")],
)
def test_a_picture_over_a_limit_is_refused_with_limit_and_value(
    door: Door, width: int, height: int, limit: str
) -> None:
    answer = post(door, form(file("image", png_of_size(width, height))))
    message = error_of(answer, 400, "VALIDATION_ERROR")["message"]
    assert limit in message
    assert f"{width:,}" in message


def test_a_missing_picture_is_the_cards_own_example(door: Door) -> None:
    error = error_of(post(door, form(text("subject", "human"))), 400, "VALIDATION_ERROR")
    assert error == {
        "code": "VALIDATION_ERROR",
        "message": "Missing or empty image file",
        "details": [{"field": "image", "issue": "File is required and cannot be empty"}],
    }


def test_all_faulty_fields_are_named_at_once(door: Door) -> None:
    body = form(
        file("image", b"no picture"),
        text("subject", "car"),
        text("output_format", "png"),
        text("size", "auto"),
    )
    error = error_of(post(door, body), 400, "VALIDATION_ERROR")
    assert {detail["field"]: detail["issue"] for detail in error["details"]} == {
        "image": "The file is not a JPEG, PNG, BMP, WEBP or GIF picture",
        "subject": "Must be one of universal, human, product; got 'car'",
        "output_format": "Must be one of transparent, white_bg, mask, crop; got 'png'",
        "size": "There is no such field",
    }


def test_no_subject(door: Door) -> None:
    black = encoded(np.zeros((32, 32, 3), np.uint8))
    error = error_of(post(door, form(file("image", black))), 400, "NO_SUBJECT_DETECTED")
    assert error["details"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/pages",
        "/v1",
        "/v1/remove-bg/universal/",
        "/v1//remove-bg/universal",
        "/v1/remove-bg/human",
        "/V1/remove-bg/universal",
        "/static/x",
        "/metrics/",
        "/livez/",
        "/../livez",
        "/%00",
        "/%ff",
        "/%0d%0aX-Injected:%20yes",
        "/" + "a" * 3000,
        "/<script>",
        "/v2?" + "a=b&" * 100,
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_no_such_path(door: Door, method: str, path: str) -> None:
    answer = door.send(method, path)
    message = error_of(answer, 404, "NOT_FOUND")["message"]
    assert all(each in message for each in ("/v1/remove-bg/universal", "/livez", "/readyz"))
    assert "location" not in answer.headers
    assert "x-injected" not in answer.headers


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"])
def test_wrong_method_keeps_allow(door: Door, method: str) -> None:
    answer = door.send(method, PATH)
    error_of(answer, 405, "METHOD_NOT_ALLOWED")
    assert {word.strip() for word in answer.headers["allow"].split(",")} == {"POST", "OPTIONS"}


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/version"])
def test_health_takes_no_post(door: Door, path: str) -> None:
    answer = door.send("POST", path, b"x")
    error_of(answer, 405, "METHOD_NOT_ALLOWED")
    assert "GET" in answer.headers["allow"]


def test_head_of_a_removal_has_no_body(door: Door) -> None:
    answer = door.send("HEAD", PATH)
    assert answer.status == 405
    assert answer.body == b""
    assert "POST" in answer.headers["allow"]
    assert answer.headers["content-type"] == "application/json"


def test_options_names_the_methods(door: Door) -> None:
    answer = door.send("OPTIONS", PATH)
    assert answer.status == 200
    assert answer.body == b""
    assert {word.strip() for word in answer.headers["allow"].split(",")} == {"POST", "OPTIONS"}


def test_an_error_in_json_too_for_who_takes_pictures_only(door: Door) -> None:
    error_of(post(door, form(), Accept="image/png"), 400, "VALIDATION_ERROR")


def test_the_request_id_of_an_error_is_the_clients(door: Door) -> None:
    answer = post(door, form(), X_Request_Id="mine_1")
    error_of(answer, 400, "VALIDATION_ERROR")
    assert answer.headers["x-request-id"] == "mine_1"


@pytest.mark.parametrize(
    ("path", "keys"),
    [
        ("/livez", {"status"}),
        ("/readyz", {"effort", "status", "models", "subjects", "provider"}),
        ("/version", {"name", "version"}),
    ],
)
def test_health(door: Door, path: str, keys: set[str]) -> None:
    answer = door.send("GET", path)
    assert answer.status == 200
    assert set(answer.json()) == keys
    assert answer.headers["cache-control"] == "no-store"
    head = door.send("HEAD", path)
    assert (head.status, head.body) == (200, b"")


def test_readyz_lists_the_stand_in(door: Door) -> None:
    state = door.send("GET", "/readyz").json()
    assert state["subjects"] == {
        "universal": "tiny",
        "product": "tiny-product",
        "human": "tiny (model-fallback)",
    }
    assert state["models"] == {
        "tiny": "verified",
        "tiny-product": "verified",
        "tiny-human": "absent",
    }


def test_a_stand_in_that_sees_nothing_says_that_it_stands_in(door: Door) -> None:
    body = form(file("image", encoded(np.zeros((40, 40, 3), np.uint8))), text("subject", "human"))
    answer = post(door, body)
    assert answer.status == 400
    assert answer.json()["error"]["code"] == "NO_SUBJECT_DETECTED"
    assert answer.json()["warnings"] == ["model-fallback"]
    assert answer.headers["x-warnings"] == "model-fallback"
    assert answer.headers["x-model"] == "tiny"
