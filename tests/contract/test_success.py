"""What a success looks like: the bare picture and its headers, or the envelope on request."""

from __future__ import annotations

import base64
import re
import uuid

import cv2
import numpy as np
import pytest

from tests.support.http import PATH, Answer, Door, check_meta, file, form, post, text
from tests.support.tiny import ball, encoded

WIDTH, HEIGHT = 96, 64
STAGES = ["probe", "decode", "load", "preprocess", "inference", "matte", "foreground", "encode"]
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8"
AXIOS = "application/json, text/plain, */*"


def decoded(answer: Answer) -> np.ndarray:
    data = np.frombuffer(answer.body, np.uint8)
    pixels = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    assert pixels is not None
    return pixels


def wanted(picture: bytes, **fields: str) -> bytes:
    return form(file("image", picture), *[text(name, value) for name, value in fields.items()])


def box_of(answer: Answer) -> tuple[int, int, int, int]:
    top, left, width, height = (
        int(answer.headers[f"x-foreground-{side}"]) for side in ("top", "left", "width", "height")
    )
    return top, left, width, height


@pytest.mark.parametrize("extension", [".jpg", ".png", ".bmp", ".webp", ".gif"])
def test_all_five_types_are_taken(door: Door, extension: str) -> None:
    answer = post(door, wanted(encoded(ball(), extension)))
    assert answer.status == 200, answer
    assert decoded(answer).shape == (HEIGHT, WIDTH, 4)


def test_the_defaults_are_universal_and_transparent(door: Door, picture: bytes) -> None:
    answer = post(door, wanted(picture))
    named = post(door, wanted(picture, subject="universal", output_format="transparent"))
    assert answer.status == 200
    assert answer.body == named.body
    assert answer.headers["x-model"] == "tiny"


def test_transparent_is_the_subject_at_full_size(door: Door, picture: bytes) -> None:
    answer = post(door, wanted(picture, output_format="transparent"))
    assert answer.headers["content-type"] == "image/png"
    pixels = decoded(answer)
    assert pixels.shape == (HEIGHT, WIDTH, 4)
    assert pixels[HEIGHT // 2, WIDTH // 2].tolist() == [255, 255, 255, 255]
    assert pixels[0, 0, 3] == 0


def test_white_bg_is_a_jpeg_on_pure_white(door: Door, picture: bytes) -> None:
    answer = post(door, wanted(picture, output_format="white_bg"))
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.body.startswith(b"\xff\xd8\xff")
    pixels = decoded(answer)
    assert pixels.shape == (HEIGHT, WIDTH, 3)
    assert (pixels[:16, :16] == 255).all()


def test_white_bg_is_a_png_where_jpeg_is_not_taken(door: Door, picture: bytes) -> None:
    answer = post(door, wanted(picture, output_format="white_bg"), Accept="image/png")
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["vary"] == "Accept"
    alpha = decoded(post(door, wanted(picture)))[..., 3]
    assert (decoded(answer)[alpha == 0] == 255).all()


def test_mask_is_binary_with_one_channel(door: Door, picture: bytes) -> None:
    answer = post(door, wanted(picture, output_format="mask"))
    assert answer.headers["content-type"] == "image/png"
    pixels = decoded(answer)
    assert pixels.shape == (HEIGHT, WIDTH)
    assert set(np.unique(pixels)) == {0, 255}


def test_crop_is_the_box_of_the_headers(door: Door, picture: bytes) -> None:
    whole = post(door, wanted(picture))
    answer = post(door, wanted(picture, output_format="crop"))
    assert answer.headers["content-type"] == "image/png"
    top, left, width, height = box_of(answer)
    assert box_of(whole) == (top, left, width, height)
    pixels = decoded(answer)
    assert pixels.shape == (height, width, 4)
    assert (int(answer.headers["x-width"]), int(answer.headers["x-height"])) == (width, height)
    assert (pixels == decoded(whole)[top : top + height, left : left + width]).all()


def test_headers(door: Door, picture: bytes) -> None:
    headers = post(door, wanted(picture)).headers
    assert uuid.UUID(headers["x-request-id"])
    assert re.fullmatch(r"\d{1,6}", headers["x-processing-ms"])
    assert (headers["x-width"], headers["x-height"]) == (str(WIDTH), str(HEIGHT))
    assert headers["cache-control"] == "no-store"
    assert headers["x-content-type-options"] == "nosniff"
    assert "x-warnings" not in headers
    timings = dict(entry.split(";dur=") for entry in headers["server-timing"].split(", "))
    assert list(timings) == STAGES
    assert all(float(ms) >= 0 for ms in timings.values())


def test_the_box_holds_the_subject(door: Door, picture: bytes) -> None:
    top, left, width, height = box_of(post(door, wanted(picture)))
    assert abs(top - (HEIGHT // 2 - 16)) <= 4
    assert abs(left - (WIDTH // 2 - 16)) <= 4
    assert abs(width - 33) <= 8
    assert abs(height - 33) <= 8


@pytest.mark.parametrize(
    ("subject", "model", "warnings"),
    [
        ("universal", "tiny", None),
        ("product", "tiny-product", None),
        ("human", "tiny", "model-fallback"),
    ],
)
def test_the_model_that_ran_is_named(
    door: Door, picture: bytes, subject: str, model: str, warnings: str | None
) -> None:
    answer = post(door, wanted(picture, subject=subject))
    assert answer.status == 200
    assert answer.headers["x-model"] == model
    assert answer.headers.get("x-warnings") == warnings


@pytest.mark.parametrize(
    "accept",
    [
        None,
        "*/*",
        AXIOS,
        "",
        "image/*",
        "image/png",
        "application/json, image/*",
        "application/json, image/png;q=0.1",
        "application/json;q=0",
        "application/json;q=0, text/plain",
        "application/*",
        "text/html",
        "not a media type",
        "application/json" + ", text/x" * 900 + ", */*;q=0.1",
    ],
)
def test_who_takes_a_picture_gets_it(door: Door, picture: bytes, accept: str | None) -> None:
    headers = {} if accept is None else {"Accept": accept}
    answer = post(door, wanted(picture), **headers)
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    "accept",
    [
        "application/json",
        "Application/JSON",
        "application/json; charset=utf-8",
        "application/json;q=0.5, text/html",
        "application/json, image/*;q=0",
        "application/json, */*;q=0",
    ],
)
def test_who_takes_json_alone_gets_the_envelope(door: Door, picture: bytes, accept: str) -> None:
    answer = post(door, wanted(picture, subject="human", output_format="crop"), Accept=accept)
    envelope = answer.json()
    assert answer.status == 200
    assert set(envelope) == {"meta", "data", "warnings", "error"}
    assert envelope["error"] is None
    assert envelope["warnings"] == ["model-fallback"]
    check_meta(answer, envelope["meta"])
    data = envelope["data"]
    bare = post(door, wanted(picture, subject="human", output_format="crop"))
    assert base64.b64decode(data.pop("image"), validate=True) == bare.body
    top, left, width, height = box_of(bare)
    assert data == {
        "contentType": "image/png",
        "width": int(bare.headers["x-width"]),
        "height": int(bare.headers["x-height"]),
        "subject": "human",
        "outputFormat": "crop",
        "model": "tiny",
        "confidence": pytest.approx(float(bare.headers["x-confidence"]), abs=0.006),
        "warnings": ["model-fallback"],
        "foreground": {"top": top, "left": left, "width": width, "height": height},
    }
    assert answer.headers["x-model"] == "tiny"
    assert answer.headers["x-warnings"] == "model-fallback"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        ("image/png", "image/png"),
        ("image/png, image/jpeg;q=0", "image/png"),
        ("image/*, image/jpeg;q=0", "image/png"),
        ("image/png, image/jpeg", "image/jpeg"),
        ("image/png, image/jpeg;q=0.1", "image/jpeg"),
        ("image/png, */*;q=0.1", "image/jpeg"),
        ("image/jpeg", "image/jpeg"),
        ("image/webp", "image/webp"),
        (BROWSER, "image/webp"),
    ],
)
def test_the_encoding_of_white(door: Door, picture: bytes, accept: str, content_type: str) -> None:
    answer = post(door, wanted(picture, output_format="white_bg"), Accept=accept)
    assert answer.status == 200
    assert answer.headers["content-type"] == content_type


@pytest.mark.parametrize("offered", ["a", "e7f8a9b0-c1d2-3456", "A_b-9" * 12 + "wxyz"])
def test_a_well_formed_request_id_is_echoed(door: Door, offered: str) -> None:
    assert (
        door.send("GET", "/livez", headers={"X-Request-Id": offered}).headers["x-request-id"]
        == offered
    )


@pytest.mark.parametrize("offered", ["", "a" * 65, "a b", "a.b", "\xe4", "a,b", "<x>", "a;b"])
def test_any_other_request_id_is_replaced(door: Door, offered: str) -> None:
    answer = door.send("GET", "/livez", headers={"X-Request-Id": offered})
    assert str(uuid.UUID(answer.headers["x-request-id"])) == answer.headers["x-request-id"]


def test_a_jpeg_of_exactly_ten_mebibytes_is_taken(door: Door) -> None:
    picture = encoded(ball(), ".jpg")
    comment = b"\xff\xfe\xff\xff" + bytes(0xFFFD)
    padding = 10 * 1024 * 1024 - len(picture)
    comments, rest = divmod(padding, len(comment))
    data = picture[:2] + comment * comments + picture[2:] + bytes(rest)
    assert len(data) == 10 * 1024 * 1024
    answer = post(door, wanted(data))
    assert answer.status == 200, answer
    refused = post(door, wanted(data + b"\0"))
    assert refused.status == 400
    assert "10,485,761 bytes" in refused.json()["error"]["message"]


def test_an_animation_is_its_first_frame_and_says_so(door: Door) -> None:
    still = encoded(ball(), ".gif")
    done, data = cv2.imencodeanimation(".gif", _animation())
    assert done
    answer = post(door, wanted(data.tobytes()))
    assert answer.status == 200, answer
    assert answer.headers["x-warnings"] == "animation-first-frame"
    assert "x-warnings" not in post(door, wanted(still)).headers


def _animation() -> cv2.Animation:
    animation = cv2.Animation()
    animation.frames = [ball(), np.zeros_like(ball())]
    animation.durations = [100, 100]
    return animation


def test_the_cards_own_curl_line(door: Door, picture: bytes) -> None:
    answer = post(
        door,
        form(
            file("image", picture, "\r\nContent-Type: image/jpeg", filename='filename="p.jpg"'),
            text("subject", "product"),
            text("output_format", "white_bg"),
        ),
        X_RapidAPI_Key="YOUR_API_KEY",
        Accept="*/*",
        User_Agent="curl/8.5.0",
    )
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/jpeg"


def test_other_names_in_the_query_change_nothing(door: Door, picture: bytes) -> None:
    answer = door.send(
        "POST",
        PATH + "?size=car",
        wanted(picture),
        {"Content-Type": "multipart/form-data; boundary=XyZ"},
    )
    assert answer.status == 200
