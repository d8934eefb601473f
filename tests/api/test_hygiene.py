"""Nothing a client sends gets into a header, an answer or the log as it was sent."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable, Iterator, Mapping
from urllib.parse import quote

import pytest
from flask import Flask

from bgremove.log import JsonFormatter
from tests.support.http import PATH, Answer, FlaskDoor, file, form, part, text
from tests.support.hygiene import check_answer, check_log

NASTY = {
    "line ends": 'MARK\r\nX-Injected: yes\r\n\r\n{"level": "FORGED"}',
    "line ends of Unicode": "MARK\x0b\x0c\x85\u2028\u2029",
    "a terminal's escapes": "MARK\x1b[2J\x1b]0;title\x07\x9b31m\x7f",
    "NUL and backspaces": "MARK\x00\x08\x08\x08\x08",
    "writing from right to left": "MARK\u202egnp.exe\u2066\ufeff",
    "quotes": 'MARK"}\\"\'\n',
    "bytes that are no text": "MARK\xff\xfe\xc3",
    "much": "MARK" * 10_000,
}


def target(nasty: str) -> str:
    return quote(nasty.encode()[:4_000])  # no server of ours takes more


def header(name: str) -> Callable[[FlaskDoor, str], Answer]:
    """Return what sends a text in a header; line ends in one, no server lets through."""

    def send(door: FlaskDoor, nasty: str) -> Answer:
        value = nasty.encode()[:8_000].decode("latin-1").replace("\r", "").replace("\n", "")
        return door.send("POST", PATH, b"x", {"Content-Type": "multipart/form-data", name: value})

    return send


def body(*parts: bytes) -> tuple[bytes, Mapping[str, str]]:
    return form(*parts), {"Content-Type": "multipart/form-data; boundary=XyZ"}


def sent_in_form(door: FlaskDoor, *parts: bytes) -> Answer:
    data, headers = body(*parts)
    return door.send("POST", PATH, data, headers)


def escaped(nasty: str) -> str:
    """Return a text as browsers write it into a quoted name."""
    return nasty.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def disposition(rest: str) -> bytes:
    return part(b"Content-Disposition: form-data; " + rest.encode(), b"x")


PLACES: dict[str, Callable[[FlaskDoor, str], Answer]] = {
    "the path": lambda door, nasty: door.send("GET", "/" + target(nasty)),
    "the query": lambda door, nasty: door.send("POST", f"{PATH}?a={target(nasty)}"),
    "a query's name": lambda door, nasty: door.send("POST", f"{PATH}?{target(nasty)}"),
    "the id": header("X-Request-Id"),
    "a key": header("X-Api-Key"),
    "the authorization": header("Authorization"),
    "the type": header("Content-Type"),
    "the accepted types": header("Accept"),
    "the agent": header("User-Agent"),
    "the referer": header("Referer"),
    "the way it came": header("X-Forwarded-For"),
    "a field's name": lambda door, nasty: sent_in_form(door, text(escaped(nasty), "x")),
    "a raw field's name": lambda door, nasty: sent_in_form(door, text(nasty, "x")),
    "a field's value": lambda door, nasty: sent_in_form(door, text("subject", nasty)),
    "a file's name": lambda door, nasty: sent_in_form(
        door, file("image", b"x", filename=f'filename="{escaped(nasty)}"')
    ),
    "a file's name*": lambda door, nasty: sent_in_form(
        door, file("image", b"x", filename=f"filename*=UTF-8''{quote(nasty)}")
    ),
    "a file's field": lambda door, nasty: sent_in_form(door, file(escaped(nasty), b"x")),
    "a part's headers": lambda door, nasty: sent_in_form(door, disposition(nasty)),
    "a transfer encoding": lambda door, nasty: sent_in_form(
        door, file("image", b"x", f"\r\nContent-Transfer-Encoding: {nasty}")
    ),
    "a file's content": lambda door, nasty: sent_in_form(door, file("image", nasty.encode())),
    "many fields": lambda door, nasty: sent_in_form(
        door, *[text(f"{n}{escaped(nasty)[:2000]}", "x") for n in range(90)]
    ),
}


@pytest.fixture
def raw_log(app: Flask) -> Iterator[io.StringIO]:
    """Give the log as it is written."""
    assert app
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter())
    logger = logging.getLogger("bgremove")
    logger.addHandler(handler)
    yield stream
    logger.removeHandler(handler)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("nasty", NASTY)
def test_what_a_client_sends_is_escaped_and_short(
    door: FlaskDoor, raw_log: io.StringIO, place: str, nasty: str
) -> None:
    answer = PLACES[place](door, NASTY[nasty])
    assert answer.status >= 400
    check_answer(answer)
    assert raw_log.getvalue()
    check_log(raw_log.getvalue().encode())


@pytest.mark.parametrize("nasty", NASTY)
def test_a_method_a_server_let_through_is_escaped_too(
    door: FlaskDoor, raw_log: io.StringIO, nasty: str
) -> None:
    method = NASTY[nasty].encode()[:8_000].decode("latin-1")
    response = door.app.test_client().open(PATH, environ_overrides={"REQUEST_METHOD": method})
    assert response.status_code == 405
    assert raw_log.getvalue()
    check_log(raw_log.getvalue().encode())
