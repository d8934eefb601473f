"""A body that nobody read is read after the answer, within bounds."""

from __future__ import annotations

import dataclasses
import io
import socket
import threading
import time
from typing import IO, TYPE_CHECKING, Any

import pytest
from gunicorn.http.errors import InvalidChunkSize

from bgremove import create_app
from bgremove.serving import uploads
from bgremove.serving.alarms import Alarms
from bgremove.serving.capacity import Bodies
from bgremove.serving.request import to_be_closed
from bgremove.serving.uploads import BLOCK_BYTES, MAX_BYTES, Uploads
from bgremove.settings import Settings
from tests.support.http import FORM_TYPE, PATH, file, form
from tests.support.tiny import ball, encoded

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIEnvironment


class Endless(io.RawIOBase):
    """A body without an end, which counts what is read of it."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int = -1) -> bytes:
        self.taken += size
        return bytes(size)


class Broken(io.RawIOBase):
    """A body whose reading fails."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def read(self, size: int = -1) -> bytes:
        raise self.error


def ask(stream: IO[bytes] | io.RawIOBase, **environ: Any) -> bytes:
    """Answer without reading the body, as a 404 does; close the answer as a server does."""

    def application(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("404 NOT FOUND", [])
        return [b"answer"]

    ours, theirs = socket.socketpair()
    with ours, theirs:
        asked = {"wsgi.input": stream, "CONTENT_LENGTH": "1", "gunicorn.socket": ours} | environ
        answer = Uploads(application, Bodies(1), Alarms())(asked, lambda *_: lambda _: None)
        body = b"".join(answer)
        if close := getattr(answer, "close", None):
            close()
        return body


def test_the_body_is_emptied() -> None:
    stream = io.BytesIO(bytes(3 * BLOCK_BYTES + 1))
    assert ask(stream) == b"answer"
    assert stream.read() == b""


def test_a_chunked_body_is_emptied() -> None:
    stream = io.BytesIO(bytes(10))
    ask(stream, CONTENT_LENGTH="", HTTP_TRANSFER_ENCODING="chunked")
    assert stream.read() == b""


def test_a_request_without_a_body_is_left_alone() -> None:
    stream = Broken(AssertionError("this was read"))
    assert ask(stream, CONTENT_LENGTH="") == b"answer"


def test_no_more_is_read_than_an_answer_is_worth() -> None:
    stream = Endless()
    ask(stream)
    assert stream.taken == MAX_BYTES


def test_time_is_up_for_a_slow_client(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_SECONDS", 0.0)
    stream = Endless()
    ask(stream)
    assert stream.taken == 0


@pytest.mark.parametrize("error", [ConnectionResetError(), InvalidChunkSize(b"x")])
def test_a_client_that_is_gone_is_no_error(error: Exception) -> None:
    assert ask(Broken(error)) == b"answer"


def test_a_stalled_client_is_left_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "MAX_SECONDS", 0.1)
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb", buffering=0) as stream:
        started = time.monotonic()
        assert ask(stream, **{"gunicorn.socket": ours}) == b"answer"
        assert time.monotonic() - started > 0.05
        assert ours in to_be_closed


@pytest.mark.parametrize(("length", "bodies"), [("1", 1), ("1", 0), ("", 1)])
def test_a_client_that_takes_no_answer_is_left_in_time(
    monkeypatch: pytest.MonkeyPatch, length: str, bodies: int
) -> None:
    """Be it to a request with a body, to one that is one too many, or to one without a body."""
    seconds = "SEND_SECONDS" if length and bodies else "BODILESS_SEND_SECONDS"
    monkeypatch.setattr(uploads, seconds, 0.1)
    ours, theirs = socket.socketpair()

    def application(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [b"answer"]

    environ = {"wsgi.input": io.BytesIO(), "CONTENT_LENGTH": length, "gunicorn.socket": ours}
    with ours, theirs:
        Uploads(application, Bodies(bodies), Alarms())(environ, lambda *_: lambda _: None)
        with pytest.raises(BrokenPipeError):
            ours.sendall(bytes(64 << 20))


def test_a_stalled_upload_is_a_form_that_is_late(settings: Settings) -> None:
    app = create_app(dataclasses.replace(settings, read_timeout_s=0.2))
    ours, theirs = socket.socketpair()
    with ours, theirs, ours.makefile("rb", buffering=0) as stream:
        theirs.sendall(b"--XyZ\r\nContent-Disp")
        response = app.test_client().post(
            PATH,
            headers={"Content-Type": FORM_TYPE, "Content-Length": "1000"},
            environ_overrides={
                "wsgi.input": stream,
                "wsgi.input_terminated": True,
                "gunicorn.socket": ours,
            },
        )
    assert response.status_code == 400
    assert "within the limit of 0.2 seconds" in response.get_data(as_text=True)


def test_one_body_too_many_is_a_503_that_nobody_reads(settings: Settings) -> None:
    app = create_app(dataclasses.replace(settings, places=1, queue=0))
    bodies: Bodies = vars(app.wsgi_app)["_bodies"]
    while bodies.enter():
        pass
    ours, theirs = socket.socketpair()
    headers = {"Content-Type": FORM_TYPE, "Content-Length": "1000"}
    environ = {"wsgi.input": Broken(AssertionError("this was read")), "gunicorn.socket": ours}
    with ours, theirs:
        response = app.test_client().post(PATH, headers=headers, environ_overrides=environ)
        assert ours in to_be_closed
    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")
    assert "All 9 uploads" in response.get_data(as_text=True)
    assert app.test_client().get("/livez").status_code == 200
    bodies.leave()
    with app.test_client().post(PATH, data={"image": "x"}) as later:
        # Without gunicorn, nobody need close an answer: its place is free at once.
        assert (later.status_code, bodies.at_work) == (400, 8)
    assert bodies.at_work == 8


def test_a_body_slower_than_the_deadline_of_the_work_is_served(settings: Settings) -> None:
    """The deadline of the work begins when the body is in."""
    app = create_app(dataclasses.replace(settings, timeout_s=3, read_timeout_s=60))
    body = form(file("image", encoded(ball())))
    ours, theirs = socket.socketpair()

    def send() -> None:
        for part in (body[:99], body[99:]):
            time.sleep(2)
            theirs.sendall(part)

    sender = threading.Thread(target=send)
    with ours, theirs, ours.makefile("rb", buffering=0) as stream:
        sender.start()
        response = app.test_client().post(
            PATH,
            environ_overrides={  # of a multipart form, the client would write an empty one
                "wsgi.input": stream,
                "CONTENT_TYPE": FORM_TYPE,
                "CONTENT_LENGTH": str(len(body)),
                "gunicorn.socket": ours,
            },
        )
        sender.join()
    assert response.status_code == 200, response.get_data(as_text=True)
    assert int(response.headers["X-Processing-Ms"]) > 3000
