"""Options over HTTP: what they give, where they belong, and every fault at once."""

import io
import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from flask import Flask
from PIL import Image
from werkzeug.test import TestResponse

from tests.support.http import FORM_TYPE, PATH, FlaskDoor, error_of, file, form, post, text
from tests.support.tiny import ball, encoded

# A white ball on black, 96 by 64: its box is 33 by 33.
SQUARE = {"output_format": "white_bg", "background": "#102030", "canvas": "120x90"}
PNG = {"Accept": "image/png"}


def asked(
    app: Flask, picture: bytes, headers: Mapping[str, str] | None = None, **fields: str
) -> TestResponse:
    data: dict[str, Any] = {"image": (io.BytesIO(picture), "a.png")} | fields
    return app.test_client().post(PATH, data=data, headers=dict(headers or {}))


def pixels(response: TestResponse) -> Any:
    assert response.status_code == 200, response.get_data()
    return np.asarray(Image.open(io.BytesIO(response.get_data())))


def test_white_bg_has_the_ground_asked_for(app: Flask, picture: bytes) -> None:
    answer = asked(app, picture, PNG, output_format="white_bg", background="rebeccapurple")
    seen = pixels(answer)
    assert seen.shape == (64, 96, 3)
    assert tuple(seen[0, 0]) == (102, 51, 153)
    assert tuple(seen[32, 48]) == (255, 255, 255)


def test_a_canvas_is_exact_and_says_that_it_enlarges(app: Flask, picture: bytes) -> None:
    answer = asked(app, picture, PNG, margin="10%", **SQUARE)
    seen = pixels(answer)
    assert seen.shape == (90, 120, 3)
    assert tuple(seen[0, 0]) == (0x10, 0x20, 0x30)
    assert answer.headers["X-Warnings"] == "enlarged"
    assert (answer.headers["X-Width"], answer.headers["X-Height"]) == ("120", "90")
    box = [answer.headers[f"X-Foreground-{side}"] for side in ("Top", "Left", "Width", "Height")]
    plain = asked(app, picture)
    assert box == [
        plain.headers[f"X-Foreground-{side}"] for side in ("Top", "Left", "Width", "Height")
    ]
    small = asked(app, picture, PNG, **SQUARE | {"canvas": "20x20"})
    assert "X-Warnings" not in small.headers


def test_a_margin_widens_the_crop(app: Flask, picture: bytes) -> None:
    crop, wide = (
        asked(app, picture, output_format="crop", margin=margin) for margin in ("0px", "5px")
    )
    assert pixels(wide).shape[0] == pixels(crop).shape[0] + 10
    assert pixels(wide).shape[1] == pixels(crop).shape[1] + 10


@pytest.mark.parametrize("output_format", ["transparent", "crop", "white_bg"])
@pytest.mark.parametrize(
    "accept",
    ["image/webp", "image/webp,image/png;q=0.9", "image/avif,image/webp,image/apng,*/*;q=0.8"],
)
def test_webp_is_taken_by_name(app: Flask, picture: bytes, output_format: str, accept: str) -> None:
    answer = asked(app, picture, {"Accept": accept}, output_format=output_format)
    assert answer.content_type == "image/webp"
    assert Image.open(io.BytesIO(answer.get_data())).format == "WEBP"
    assert answer.headers["Vary"] == "Accept"


@pytest.mark.parametrize(
    ("accept", "output_format", "content_type"),
    [
        ("image/webp", "mask", "image/png"),
        ("*/*", "transparent", "image/png"),
        ("image/*", "white_bg", "image/jpeg"),
        ("image/webp;q=0", "transparent", "image/png"),
        ("image/png,image/webp;q=0.5", "transparent", "image/png"),
        ("image/jpeg,image/webp;q=0.5", "white_bg", "image/jpeg"),
    ],
)
def test_webp_is_not_taken_otherwise(
    app: Flask, picture: bytes, accept: str, output_format: str, content_type: str
) -> None:
    answer = asked(app, picture, {"Accept": accept}, output_format=output_format)
    assert answer.content_type == content_type


def test_json_has_confidence_and_warnings(app: Flask, picture: bytes) -> None:
    answer = asked(app, picture, {"Accept": "application/json"}, **SQUARE)
    envelope = json.loads(answer.get_data())
    assert envelope["data"]["warnings"] == envelope["warnings"] == ["enlarged"]
    confidence = envelope["data"]["confidence"]
    assert confidence == pytest.approx(float(answer.headers["X-Confidence"]), abs=0.006)


@pytest.mark.parametrize(
    ("fields", "faulty", "says"),
    [
        ({"background": "red"}, {"background"}, "`background` goes with `white_bg`"),
        ({"background": "white"}, {"background"}, "`background` goes with `white_bg`"),
        ({"background": "#ff"}, {"background"}, "#rrggbb"),
        ({"background": ""}, {"background"}, "#rrggbb"),
        ({"margin": "0px"}, {"margin"}, "goes with `crop` and `white_bg`"),
        ({"margin": "51%", "output_format": "crop"}, {"margin"}, "at most 50%; got '51%'"),
        ({"canvas": "9x9", "output_format": "crop"}, {"canvas"}, "16 to 8000 pixels a side"),
        ({"canvas": "8000x8000", "output_format": "crop"}, {"canvas"}, "limit of 52,000,000"),
        (
            {"canvas": "100x100", "margin": "50px", "output_format": "crop"},
            {"margin"},
            "at most 49px",
        ),
        (
            {"background": "no", "margin": "no", "canvas": "no", "subject": "no"},
            {"background", "margin", "canvas", "subject"},
            "got 'no'",
        ),
        ({"canvas": "99x99", "background": "no"}, {"canvas", "background"}, "goes with"),
    ],
)
def test_every_fault_is_named_at_once(
    door: FlaskDoor, picture: bytes, fields: dict[str, str], faulty: set[str], says: str
) -> None:
    body = form(file("image", picture), *[text(name, value) for name, value in fields.items()])
    error = error_of(post(door, body), 400, "VALIDATION_ERROR")
    assert {detail["field"] for detail in error["details"]} == faulty
    assert says in error["message"]


def test_an_option_twice_or_as_a_file_is_refused(door: FlaskDoor, picture: bytes) -> None:
    crop = (file("image", picture), text("output_format", "crop"))
    twice = form(*crop, text("margin", "1%"), text("margin", "1%"))
    assert "Send one value" in error_of(post(door, twice), 400, "VALIDATION_ERROR")["message"]
    as_file = form(*crop, file("canvas", b"99x99"))
    assert "Send text" in error_of(post(door, as_file), 400, "VALIDATION_ERROR")["message"]


@pytest.mark.parametrize("field", ["subject", "output_format", "background", "margin", "image"])
def test_a_field_in_the_query_is_told_where_it_belongs(
    door: FlaskDoor, picture: bytes, field: str
) -> None:
    headers = {"Content-Type": FORM_TYPE}
    answer = door.send(
        "POST", f"{PATH}?{field}=product&utm=1", form(file("image", picture)), headers
    )
    error = error_of(answer, 400, "VALIDATION_ERROR")
    (detail,) = error["details"]
    assert detail["field"] == field
    assert "not in the URL's query" in detail["issue"]


def test_other_words_in_the_query_are_nobodys_business(door: FlaskDoor, picture: bytes) -> None:
    headers = {"Content-Type": FORM_TYPE}
    answer = door.send("POST", f"{PATH}?utm_source=x", form(file("image", picture)), headers)
    assert answer.status == 200


@pytest.mark.parametrize("coding", ["gzip", "br", "GZIP, identity"])
def test_a_compressed_body_is_a_415(door: FlaskDoor, picture: bytes, coding: str) -> None:
    answer = post(door, form(file("image", picture)), Content_Encoding=coding)
    error = error_of(answer, 415, "VALIDATION_ERROR")
    assert "compressed" in error["message"]
    assert answer.headers["accept-encoding"] == "identity"


def test_a_body_that_says_it_is_not_compressed_is_taken(door: FlaskDoor, picture: bytes) -> None:
    assert post(door, form(file("image", picture)), Content_Encoding="identity").status == 200


def test_low_confidence_is_said(app: Flask) -> None:
    """A picture gray all over: the tiny model is unsure of each pixel."""
    answer = asked(app, encoded(np.full((64, 96, 3), 160, np.uint8)))
    assert float(answer.headers["X-Confidence"]) < 0.5
    assert answer.headers["X-Warnings"] == "low-confidence"
    assert "X-Warnings" not in asked(app, encoded(ball())).headers
