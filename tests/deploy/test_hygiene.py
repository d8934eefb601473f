"""On a real gunicorn, raw bytes: what a client sends gets into no header and no line as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.http import FORM_TYPE, PATH, Server, file, form, text
from tests.support.http import gunicorn as run_gunicorn
from tests.support.hygiene import check_answer, check_log
from tests.support.tiny import tiny_weights

LEAVING = b"Connection: close\r\n\r\n"
NASTY = {
    "a line end": b"MARK\nX-Injected: yes",
    "line ends": b'MARK\r\nX-Injected: yes\r\n{"level": "FORGED"}',
    "a bare CR": b"MARK\rX-Injected: yes",
    "a terminal's escapes": b"MARK\x1b[2J\x1b]0;title\x07\x9b31m\x7f",
    "NUL": b"MARK\x00\x08",
    "bytes that are no text": b"MARK\xff\xfe\xc3\xe2\x80\xa8",
    "much": b"MARK" * 1_900,
}
PLACES = {
    "the method": lambda nasty: nasty + b" /livez HTTP/1.1\r\nHost: x\r\n" + LEAVING,
    "the path": lambda nasty: b"GET /" + nasty + b" HTTP/1.1\r\nHost: x\r\n" + LEAVING,
    "the query": lambda nasty: b"GET /x?" + nasty + b" HTTP/1.1\r\nHost: x\r\n" + LEAVING,
    "the version": lambda nasty: b"GET / " + nasty + b"\r\nHost: x\r\n" + LEAVING,
    "the host": lambda nasty: b"GET /x HTTP/1.1\r\nHost: " + nasty + b"\r\n" + LEAVING,
    "the id": lambda nasty: get(b"X-Request-Id: " + nasty),
    "a key": lambda nasty: get(b"X-Api-Key: " + nasty),
    "a header": lambda nasty: get(b"X-Other: " + nasty),
    "a header's name": lambda nasty: get(nasty + b": x"),
    "a header without colon": lambda nasty: get(nasty),
    "a length": lambda nasty: get(b"Content-Length: " + nasty),
    "a coding": lambda nasty: get(b"Transfer-Encoding: " + nasty),
    "an expectation": lambda nasty: get(b"Expect: " + nasty),
    "the type": lambda nasty: post(b"x", b"Content-Type: multipart/" + nasty),
    "a boundary": lambda nasty: post(
        b"x", b'Content-Type: multipart/form-data; boundary="' + nasty
    ),
    "a field's name": lambda nasty: posted_form(text(nasty.decode("latin-1"), "x")),
    "a field's value": lambda nasty: posted_form(text("subject", nasty)),
    "a file's name": lambda nasty: posted_form(
        file("image", b"x", filename=f'filename="{nasty.decode("latin-1")}"')
    ),
    "a chunk's size": lambda nasty: (
        f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\n".encode()
        + b"Transfer-Encoding: chunked\r\n"
        + LEAVING
        + nasty
        + b"\r\n"
    ),
}


def get(line: bytes) -> bytes:
    return b"GET /x HTTP/1.1\r\nHost: x\r\n" + line + b"\r\n" + LEAVING


def post(body: bytes, line: bytes) -> bytes:
    length = f"Content-Length: {len(body)}\r\n".encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: x\r\n".encode()
    return head + line + b"\r\n" + length + LEAVING + body


def posted_form(part: bytes) -> bytes:
    return post(form(part), f"Content-Type: {FORM_TYPE}".encode())


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("gunicorn")
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
    with run_gunicorn(folder, {"BGREMOVE_WEIGHTS_DIR": str(weights)}) as server:
        yield server


def log_after(server: Server, start: int) -> bytes:
    with server.log.open("rb") as log:
        log.seek(start)
        return log.read()


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("nasty", NASTY)
def test_what_a_client_sends_is_escaped_and_short(server: Server, place: str, nasty: str) -> None:
    start = server.log.stat().st_size
    (answer,) = server.door.exchange(PLACES[place](NASTY[nasty]), half_close=True)
    check_answer(answer)
    check_log(log_after(server, start))
