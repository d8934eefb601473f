"""Multipart bodies, byte by byte: each gets its right 400 or its 200."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from bgremove import create_app
from bgremove.api import removals
from bgremove.api.form import REQUIRED
from bgremove.api.multipart import read_parts
from bgremove.api.services import services_of
from bgremove.deadline import Deadline
from bgremove.errors import ValidationError
from bgremove.settings import Settings
from tests.support.http import (
    BOUNDARY,
    FORM_TYPE,
    FlaskDoor,
    error_of,
    file,
    form,
    part,
    post,
    text,
)
from tests.support.tiny import ball, encoded

PICTURE = encoded(ball())
GOOD = file("image", PICTURE)
MIB = 1024 * 1024
DISPOSITION = "Content-Disposition: form-data; "
TOO_LARGE = "larger than the limits"
MALFORMED = "malformed or ends early"
NO_FIELD = "There is no such field"


@dataclass(frozen=True)
class Case:
    """A body, and the fields its answer must call faulty; none where the answer is the picture."""

    name: str
    body: bytes
    faulty: tuple[str, ...] = ()
    says: str = ""
    content_type: str | None = FORM_TYPE


def typed(boundary: str) -> str:
    return f"multipart/form-data; boundary={boundary}"


def rebound(boundary: str, body: bytes = form(GOOD)) -> bytes:
    return body.replace(b"--" + BOUNDARY.encode(), b"--" + boundary.encode())


BOUNDARIES = [
    Case("plain", form(GOOD)),
    Case("all fields", form(GOOD, text("subject", "product"), text("output_format", "crop"))),
    Case("fields before the file", form(text("subject", "product"), GOOD)),
    Case("quoted boundary", form(GOOD), content_type=typed(f'"{BOUNDARY}"')),
    Case("upper-case type", form(GOOD), content_type=FORM_TYPE.replace("multipart", "MULTIPART")),
    Case("boundary of one character", rebound("b"), content_type=typed("b")),
    Case(
        "every character a boundary may have",
        rebound("'()+_,-./:=? x"),
        content_type=typed('"\'()+_,-./:=? x"'),
    ),
    Case("boundary over 70 characters", rebound("b" * 200), content_type=typed("b" * 200)),
    Case("boundary of 9,000", rebound("b" * 9000), content_type=typed("b" * 9000)),
    Case("another boundary", form(GOOD), ("image",), MALFORMED, typed("other")),
    Case("boundary in another case", form(GOOD), ("image",), MALFORMED, typed(BOUNDARY.upper())),
    Case("no boundary", form(GOOD), ("image",), "names no boundary", "multipart/form-data"),
    Case("empty boundary", form(GOOD), ("image",), "names no boundary", typed("")),
    Case("empty quoted boundary", form(GOOD), ("image",), "names no boundary", typed('""')),
    Case("non-ASCII boundary", form(GOOD), ("image",), "boundary", typed("\xfcber")),
    Case("non-ASCII quoted boundary", form(GOOD), ("image",), "ASCII", typed('"\xfcber"')),
    Case("space after a boundary", form(GOOD).replace(b"XyZ\r\n", b"XyZ \t\r\n")),
]

SHAPES = [
    Case("no end", GOOD, ("image",), MALFORMED),
    Case("cut in the picture", GOOD[:-40], ("image",), MALFORMED),
    Case("cut in part headers", form(GOOD)[:40], ("image",), MALFORMED),
    Case("cut in the last boundary", GOOD + b"--XyZ-", ("image",), MALFORMED),
    Case("no line end after the last boundary", form(GOOD)[:-2]),
    Case(
        "LF only",
        form(
            text("subject", "product"),
            GOOD.replace(PICTURE, b"")
            .replace(b"\r\n", b"\n")
            .replace(b"\n\n\n", b"\n\n" + PICTURE + b"\n"),
        ),
    ),
    Case("preamble", b"This is a MIME message.\r\n" + form(GOOD)),
    Case("preamble of 300 kB", b"a" * 300_000 + b"\r\n" + form(GOOD), ("image",), TOO_LARGE),
    Case("epilogue", form(GOOD) + b"and more"),
    Case("second form as epilogue", form(GOOD) + form(file("image", b"x"))),
    Case("epilogue of 300 kB", form(GOOD) + b"a" * 300_000, ("image",), TOO_LARGE),
    Case("no body", b"", ("image",)),
    Case("form without parts", form(), ("image",), REQUIRED),
    Case("only a line end", b"\r\n", ("image",), MALFORMED),
    Case(
        "nested multipart as a file",
        form(
            file(
                "image",
                b"--i\r\n\r\n" + PICTURE + b"\r\n--i--\r\n",
                "\r\nContent-Type: multipart/mixed; boundary=i",
            )
        ),
        ("image",),
        "not a JPEG, PNG, BMP, WEBP or GIF",
    ),
    Case(
        "nested multipart as a field",
        form(
            text(
                "image",
                "--i\r\n\r\nx\r\n--i--\r\n",
                "\r\nContent-Type: multipart/mixed; boundary=i",
            )
        ),
        ("image",),
        "Send a file, not text",
    ),
    Case("1,000 parts", form(*[text(f"f{n}", "x") for n in range(1000)]), ("image",), TOO_LARGE),
    Case("field of 500 kB", form(GOOD, text("subject", "x" * 500_000)), ("image",), TOO_LARGE),
    Case(
        "part header of 500 kB",
        form(file("image", PICTURE, "\r\nX-Filler: " + "x" * 500_000)),
        ("image",),
        TOO_LARGE,
    ),
    Case(
        "part headers of 30 kB",
        form(file("image", PICTURE, "\r\nX-Filler: " + "x" * 30_000)),
    ),
    Case(
        "part headers of 40 kB in all",
        form(GOOD, *[text("subject", "product", "\r\nX-Filler: " + "x" * 4000)] * 10),
        ("image",),
        "32,768 bytes of their headers",
    ),
    Case(
        "disposition of 100,000 parameters",
        form(GOOD, text('subject"; ' + "a=b; " * 20_000 + 'c="', "x")),
        ("image",),
        "32,768 bytes of their headers",
    ),
    Case("field name of 500 kB", form(GOOD, text("n" * 500_000, "x")), ("image",), TOO_LARGE),
    Case("field name of 10 kB", form(GOOD, text("n" * 10_000, "x")), ("n" * 40 + "…",), NO_FIELD),
    Case("field of 100 kB", form(GOOD, text("subject", "x" * 100_000)), ("subject",), "x…"),
    Case("part without disposition", form(part(b"X: y", PICTURE)), ("image",), MALFORMED),
    Case(
        "part header without colon", form(GOOD, part(b"Content-Disposition", b"")), ("(no name)",)
    ),
    Case(
        "part header not UTF-8",
        form(part(b'Content-Disposition: form-data; name="\xff"', b"x")),
        ("image",),
        MALFORMED,
    ),
    Case(
        "part headers in capitals",
        form(part(b"CONTENT-DISPOSITION: FORM-DATA; NAME=image; FILENAME=A.PNG", PICTURE)),
    ),
    Case(
        "folded part header",
        form(
            part(
                b'Content-Disposition: form-data;\r\n name="image";\r\n\tfilename="a.png"', PICTURE
            )
        ),
    ),
    Case(
        "urlencoded",
        b"subject=human&image=x",
        ("image",),
        "application/x-www-form-urlencoded",
        "application/x-www-form-urlencoded",
    ),
    Case("JSON", b'{"image": "..."}', ("image",), "application/json", "application/json"),
    Case("the bare picture", PICTURE, ("image",), "image/png", "image/png"),
    Case(
        "multipart/mixed",
        form(GOOD),
        ("image",),
        "multipart/mixed",
        f"multipart/mixed; boundary={BOUNDARY}",
    ),
    Case("no type", form(GOOD), ("image",), "no content type", None),
    Case(
        "a type of 5,000 characters",
        b"x",
        ("image",),
        "this request has x/" + "y" * 38 + "…",
        "x/" + "y" * 5000,
    ),
]

NAMES = [
    Case("no picture", form(text("subject", "human")), ("image",), "Missing or empty image file"),
    Case("empty picture", form(file("image", b"")), ("image",), "Missing or empty image file"),
    Case(
        "a browser's empty input",
        form(
            file("image", b"", "\r\nContent-Type: application/octet-stream", filename='filename=""')
        ),
        ("image",),
        "Missing or empty",
    ),
    Case("file name empty", form(file("image", PICTURE, filename='filename=""'))),
    Case("image twice", form(GOOD, GOOD), ("image",), "Send one file, not 2"),
    Case("image as text and file", form(text("image", "x"), GOOD), ("image",), "not 2"),
    Case("image as file and text", form(GOOD, text("image", "x")), ("image",), "not 2"),
    Case("image as text", form(text("image", "x")), ("image",), "Send a file, not text"),
    Case("image as empty text", form(text("image", "")), ("image",), "Send a file, not text"),
    Case(
        "picture without a file name",
        form(text("image", PICTURE, "\r\nContent-Type: image/png")),
    ),
    Case(
        "bytes without a file name",
        form(text("image", PICTURE, "\r\ncontent-type: Application/Octet-Stream; x=y")),
    ),
    Case(
        "empty bytes without a file name",
        form(text("image", b"", "\r\nContent-Type: image/jpeg")),
        ("image",),
        "Missing or empty image file",
    ),
    Case(
        "picture as text/plain without a file name",
        form(text("image", b"x" * 99, "\r\nContent-Type: text/plain")),
        ("image",),
        "Send a file, not text",
    ),
    Case(
        "subject as bytes without a file name is text",
        form(GOOD, text("subject", "product", "\r\nContent-Type: application/octet-stream")),
    ),
    Case(
        "300 kB of text in two fields",
        form(GOOD, text("a", b"x" * 150_000), text("b", b"x" * 150_000)),
        ("image",),
        TOO_LARGE,
    ),
    Case(
        "300 kB without a file name",
        form(text("image", b"\x89" * 300_000)),
        ("image",),
        "without a file name counts as text",
    ),
    Case(
        "subject twice",
        form(GOOD, text("subject", "human"), text("subject", "human")),
        ("subject",),
        "Send one value, not 2",
    ),
    Case(
        "output_format twice",
        form(GOOD, text("output_format", "mask"), text("output_format", "crop")),
        ("output_format",),
        "Send one value, not 2",
    ),
    Case("subject as file", form(GOOD, file("subject", b"human")), ("subject",), "not a file"),
    Case("subject as empty file", form(GOOD, file("subject", b"")), ("subject",), "not a file"),
    Case("output_format as file", form(GOOD, file("output_format", b"mask")), ("output_format",)),
    Case(
        "subject as text and file",
        form(GOOD, text("subject", "human"), file("subject", b"x")),
        ("subject",),
        "Send one value, not 2",
    ),
    Case("unknown field", form(GOOD, text("size", "auto")), ("size",), NO_FIELD),
    Case("unknown file", form(GOOD, file("ground", PICTURE)), ("ground",), NO_FIELD),
    Case("image misspelt", form(file("Image", PICTURE)), ("Image", "image"), NO_FIELD),
    Case("image[]", form(file("image[]", PICTURE)), ("image", "image[]"), NO_FIELD),
    Case("_charset_", form(GOOD, text("_charset_", "utf-8")), ("_charset_",), NO_FIELD),
    Case("_schema", form(GOOD, text("_schema", "x")), ("_schema",), NO_FIELD),
    Case(
        "99 unknown fields",
        form(GOOD, *[text(f"f{n:02}", "x") for n in range(99)]),
        tuple(f"f{n:02}" for n in range(99)),
        NO_FIELD,
    ),
    Case("empty name", form(GOOD, text("", "x")), ("(no name)",), NO_FIELD),
    Case(
        "missing name",
        form(GOOD, part(b"Content-Disposition: form-data", b"x")),
        ("(no name)",),
        NO_FIELD,
    ),
    Case(
        "file without a name",
        form(part(b'Content-Disposition: form-data; filename="a"', PICTURE)),
        ("(no name)", "image"),
        NO_FIELD,
    ),
    Case(
        "name never closed",
        form(part(b'Content-Disposition: form-data; name="image', b"x")),
        ("(no name)", "image"),
        NO_FIELD,
    ),
    Case("NUL in a name", form(GOOD, text("a\x00b", "x")), ("a\x00b",), NO_FIELD),
    Case(
        "name*",
        form(part(b"Content-Disposition: form-data; name*=UTF-8''image; filename=a", PICTURE)),
    ),
]

FILE_NAMES = [
    Case(f"file name {name}", form(file("image", PICTURE, filename=filename)))
    for name, filename in (
        ("of a path", 'filename="../../etc/passwd"'),
        ("with NUL", 'filename="a\x00.png"'),
        ("of 9,000 characters", f'filename="{"a" * 9000}"'),
        ("in UTF-8", 'filename="Köpfe 🙂.png"'),
        ("with quotes", r'filename="a\"b.png"'),
        ("folded", 'filename="a\r\n b.png"'),
        ("lies about the type", 'filename="a.exe"\r\nContent-Type: text/html'),
        ("extended alone", "filename*=UTF-8''a.png"),
        ("extended with CR LF", "filename*=UTF-8''a%0d%0aSet-Cookie:%20x"),
        ("extended with NUL", "filename*=UTF-8''a%00.png"),
        ("extended of 9,000 characters", f"filename*=UTF-8''{'%41' * 9000}"),
        ("extended in UTF-16", "filename*=UTF-16''%ff%fea%00"),
        ("extended in broken UTF-8", "filename*=UTF-8''%ff%fe"),
        ("in continuations", "filename*0=a; filename*1=b; filename*99999999999999999999=c"),
    )
]

VALUES = [
    Case(f"subject {value!r}", form(GOOD, text("subject", value)), ("subject",), "Must be one of")
    for value in ("", " ", " product", "product\n", "\tproduct", "PRODUCT", "Product", "car",
                  "product\x00", "pro\u0501uct", "null", b"produ\xffct",
                  "product".encode("utf-16"), "universal,human", "'; DROP TABLE", "x" * 41)
] + [
    Case("output_format upper case", form(GOOD, text("output_format", "MASK")), ("output_format",)),
    Case("output_format with a hyphen", form(GOOD, text("output_format", "white-bg")),
         ("output_format",)),
    Case("output_format empty", form(GOOD, text("output_format", "")), ("output_format",)),
    Case("field in Latin-1", form(GOOD, text("subject", "product",
         "\r\nContent-Type: text/plain; charset=iso-8859-1"))),
    Case("field of an unknown charset", form(GOOD, text("subject", "product",
         "\r\nContent-Type: text/plain; charset=klingon"))),
]  # fmt: skip

ENCODINGS = [
    Case(f"picture in {encoding}", form(file("image", PICTURE,
         f"\r\nContent-Transfer-Encoding: {encoding}")), faulty, says)
    for encoding, faulty, says in (
        ("binary", (), ""), ("BINARY", (), ""), ("8bit", (), ""), ("7bit", (), ""),
        ("base64", ("image",), "not in Content-Transfer-Encoding base64"),
        ("quoted-printable", ("image",), "not in Content-Transfer-Encoding quoted-printable"),
        ("x" * 500, ("image",), "x…"),
    )
] + [
    Case("subject in base64", form(GOOD, text("subject", "cHJvZHVjdA==",
         "\r\nContent-Transfer-Encoding: base64")), ("subject",), "Must be one of"),
]  # fmt: skip

TOGETHER = [
    Case(
        "four faults",
        form(file("image", b"not a picture"), text("subject", "car"), text("output_format", "png"),
             text("size", "auto")),
        ("image", "output_format", "size", "subject"),
    ),
    Case(
        "no picture and two faults",
        form(text("subject", "car"), text("output_format", "png")),
        ("image", "output_format", "subject"),
    ),
    Case(
        "too large a picture and a fault",
        form(file("image", PICTURE + bytes(10 * MIB)), text("subject", "car")),
        ("image", "subject"),
        "more than the limit of 10,485,760 bytes",
    ),
    Case("12 MiB in all", form(file("image", bytes(12 * MIB))), ("image",), "10,485,760 bytes"),
]  # fmt: skip

CASES = BOUNDARIES + SHAPES + NAMES + FILE_NAMES + VALUES + ENCODINGS + TOGETHER


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_form(case: Case, door: FlaskDoor) -> None:
    answer = post(door, case.body, case.content_type)
    if not case.faulty:
        assert answer.status == 200, answer
        assert answer.headers["content-type"] == "image/png"
        return
    error = error_of(answer, 400, "VALIDATION_ERROR")
    assert sorted(detail["field"] for detail in error["details"]) == sorted(case.faulty)
    issues = " ".join(detail["issue"] for detail in error["details"])
    assert case.says in f"{error['message']} {issues}"
    assert len(answer.body) < 20_000


def test_there_are_at_least_sixty_bodies() -> None:
    assert len({case.body for case in CASES}) >= 60


def test_a_wrong_value_is_shown_but_only_its_beginning(door: FlaskDoor) -> None:
    answer = post(door, form(GOOD, text("subject", "a\r\nb" + "c" * 100)))
    issue = error_of(answer, 400, "VALIDATION_ERROR")["details"][0]["issue"]
    assert issue == f"Must be one of universal, human, product; got 'a\\r\\nb{'c' * 36}…'"


def test_no_picture_is_looked_at_without_a_place(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = create_app(dataclasses.replace(settings, places=1, queue=0))
    probed = []
    monkeypatch.setattr(removals, "probe", lambda *_: probed.append(1))
    with services_of(app).places.take(Deadline.after(60)):
        answer = post(FlaskDoor(app), form(GOOD, text("subject", "car")))
    error_of(answer, 503, "OVERLOADED")
    assert not probed
    error_of(post(FlaskDoor(app), form(GOOD, text("subject", "car"))), 400, "VALIDATION_ERROR")
    assert probed


@pytest.mark.parametrize("kind", ["text/\x1b[2Jplain", "a\x85b", "é" * 50 + "\x07"])
def test_a_content_type_with_control_characters_is_shown_escaped(kind: str) -> None:
    environ = EnvironBuilder(method="POST", data=b"x").get_environ() | {"CONTENT_TYPE": kind}
    with pytest.raises(ValidationError) as caught:
        read_parts(Request(environ), Deadline.after(5))
    assert caught.value.message.isprintable()
