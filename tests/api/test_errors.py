"""Errors that no form provokes: weights, deadlines, places, the unforeseen."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

import pytest
from flask import Flask
from werkzeug.exceptions import (
    GatewayTimeout,
    ImATeapot,
    RequestEntityTooLarge,
    ServiceUnavailable,
    TooManyRequests,
)

from bgremove import create_app
from bgremove.api.services import services_of
from bgremove.deadline import Deadline
from bgremove.errors import OverloadedError
from bgremove.serving.places import Places
from bgremove.settings import Settings
from tests.api.conftest import LogLines, captured_log
from tests.support.http import FORM_TYPE, PATH, FlaskDoor, error_of, file, form, post, text
from tests.support.tiny import tiny_weights


@contextmanager
def door_of(settings: Settings) -> Iterator[FlaskDoor]:
    app = create_app(settings)
    yield FlaskDoor(app)
    services_of(app).engine.decoders.close()


def failing_with(error: Exception) -> Callable[[], NoReturn]:
    def view() -> NoReturn:
        raise error

    return view


@pytest.fixture
def failing(settings: Settings) -> FlaskDoor:
    """An application with views that fail in ways no view of ours does."""
    app = create_app(settings)
    views = {
        "boom": RuntimeError("secret /etc/passwd of numpy"),
        "closed": ServiceUnavailable(retry_after=9),
        "many": TooManyRequests(retry_after=7),
        "teapot": ImATeapot(),
        "gateway": GatewayTimeout(),
        "large": RequestEntityTooLarge(),
    }
    for name, error in views.items():
        app.add_url_rule(f"/{name}", name, failing_with(error))
    return FlaskDoor(app)


def test_the_unforeseen_is_a_500_whose_cause_only_the_log_has(
    failing: FlaskDoor, log_lines: LogLines
) -> None:
    answer = failing.send("GET", "/boom", headers={"X-Request-Id": "abc"})
    error = error_of(answer, 500, "INTERNAL_ERROR")
    assert "requestId" in error["message"]
    assert b"secret" not in answer.body
    (cause,) = [line for line in log_lines() if line["level"] == "ERROR"]
    assert cause["requestId"] == "abc"
    assert "secret /etc/passwd of numpy" in cause["exception"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/closed", 503, "OVERLOADED"),
        ("/many", 429, "RATE_LIMITED"),
        ("/teapot", 418, "VALIDATION_ERROR"),
        ("/gateway", 504, "INTERNAL_ERROR"),
        ("/large", 400, "VALIDATION_ERROR"),
    ],
)
def test_an_http_error_of_flask_is_the_envelope(
    failing: FlaskDoor, path: str, status: int, code: str
) -> None:
    error_of(failing.send("GET", path), status, code)


def test_retry_after_is_kept(failing: FlaskDoor) -> None:
    assert failing.send("GET", "/closed").headers["retry-after"] == "9"
    assert failing.send("GET", "/many").headers["retry-after"] == "7"


def test_missing_weights_are_a_502(tmp_path: Path, picture: bytes) -> None:
    folder = tiny_weights(tmp_path)
    (folder / "tiny.onnx").unlink()
    with door_of(Settings(weights_dir=folder)) as door:
        error_of(post(door, form(file("image", picture))), 502, "UPSTREAM_ERROR")


def test_damaged_weights_are_a_502(tmp_path: Path, picture: bytes) -> None:
    folder = tiny_weights(tmp_path)
    data = bytearray((folder / "tiny.onnx").read_bytes())
    data[10] ^= 0xFF
    (folder / "tiny.onnx").write_bytes(data)
    with door_of(Settings(weights_dir=folder)) as door, captured_log() as log_lines:
        error = error_of(post(door, form(file("image", picture))), 502, "UPSTREAM_ERROR")
    assert "SHA" not in error["message"]
    assert any("SHA-256" in line.get("cause", "") for line in log_lines())


def test_strict_models_refuse_the_stand_in(settings: Settings, picture: bytes) -> None:
    with door_of(dataclasses.replace(settings, strict_models=True)) as door:
        body = form(file("image", picture), text("subject", "human"))
        error = error_of(post(door, body), 502, "UPSTREAM_ERROR")
        assert "human" in error["message"]
        assert post(door, form(file("image", picture))).status == 200


def test_a_passed_deadline_is_a_502_that_names_it(settings: Settings, picture: bytes) -> None:
    """The first picture starts a decoder, which takes longer than 50 ms."""
    with door_of(dataclasses.replace(settings, timeout_s=0.05)) as door:
        error = error_of(post(door, form(file("image", picture))), 502, "UPSTREAM_ERROR")
    assert error["message"] == "Processing took longer than the limit of 0.05 seconds"


def test_full_places_and_queue_are_a_503_at_once(settings: Settings, picture: bytes) -> None:
    with door_of(dataclasses.replace(settings, places=1, queue=0)) as door:
        places: Places = services_of(door.app).places
        with places.take(Deadline.after(10)):
            answer = post(door, form(file("image", picture)))
        error = error_of(answer, 503, "OVERLOADED")
        assert error["message"] == "All 1 places are taken and the queue of 0 is full"
        assert int(answer.headers["retry-after"]) >= 1
        assert post(door, form(file("image", picture))).status == 200


def test_a_form_at_fault_is_a_400_even_where_places_are_full(settings: Settings) -> None:
    with door_of(dataclasses.replace(settings, places=1, queue=0)) as door:
        places: Places = services_of(door.app).places
        with places.take(Deadline.after(10)):
            error_of(post(door, form()), 400, "VALIDATION_ERROR")


def test_who_waits_for_a_place_longer_than_the_deadline_is_refused() -> None:
    places = Places(1, 1)
    with (
        places.take(Deadline.after(10)),
        pytest.raises(OverloadedError),
        places.take(Deadline.after(0.01)),
    ):
        raise AssertionError("there was no place")
    with places.take(Deadline.after(0.01)):
        pass


def test_a_place_that_comes_free_goes_to_the_one_waiting() -> None:
    places, inside, leave = Places(1, 1), threading.Event(), threading.Event()
    served: list[Any] = []

    def first() -> None:
        with places.take(Deadline.after(60)):
            inside.set()
            leave.wait(60)

    def second() -> None:
        while not served:
            # The probe of the main thread below stands in the queue of one for a moment.
            with contextlib.suppress(OverloadedError), places.take(Deadline.after(60)):
                served.append(True)

    threads = [threading.Thread(target=first), threading.Thread(target=second)]
    threads[0].start()
    assert inside.wait(60)
    threads[1].start()
    refused = 0
    end = time.monotonic() + 60
    while time.monotonic() < end:
        try:
            with places.take(Deadline.after(0)):
                raise AssertionError("there was no place")
        except OverloadedError as error:
            if "queue" in error.message:  # otherwise this one stood in it until its deadline
                refused += 1
                break
    leave.set()
    for thread in threads:
        thread.join(60)
    assert served == [True]
    assert refused == 1


def test_not_ready_is_a_503_with_what_is_waited_for(tmp_path: Path, app: Flask) -> None:
    assert app
    folder = tiny_weights(tmp_path)
    (folder / "tiny.onnx").unlink()
    with door_of(Settings(weights_dir=folder)) as door:
        services_of(door.app).warm_up.run()
        answer = door.send("GET", "/readyz")
    error = error_of(answer, 503, "NOT_READY")
    assert answer.headers["retry-after"] == "1"
    assert error["details"] == [{"field": "readiness", "issue": "tiny: absent"}]
    assert str(tmp_path) not in answer.body.decode()


def test_who_has_gone_is_a_line_in_the_log_and_no_error_of_ours(
    app: Flask, picture: bytes, log_lines: LogLines
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        client.close()
    with ours:
        app.test_client().post(
            PATH,
            data=form(file("image", picture)),
            headers={"Content-Type": FORM_TYPE},
            environ_overrides={"gunicorn.socket": ours},
        )
    (line,) = (line for line in log_lines() if line["message"] == "request")
    assert (line["status"], line["code"], line["level"]) == (499, "CLIENT_GONE", "INFO")
    assert line["cause"] == "gone in waiting for a place"


def test_a_worker_that_is_being_replaced_is_not_ready(settings: Settings) -> None:
    with door_of(settings) as door:
        services_of(door.app).warm_up.run()
        assert door.send("GET", "/readyz").status == 200
        services_of(door.app).hangs.is_ending = True
        error = error_of(door.send("GET", "/readyz"), 503, "NOT_READY")
    assert "hangs" in error["message"]


@pytest.mark.parametrize("is_warm", [False, True])
def test_a_worker_that_can_start_no_thread_is_not_ready(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, is_warm: bool
) -> None:
    def refuse(_: threading.Thread) -> NoReturn:
        raise RuntimeError("can't start new thread")

    with door_of(settings) as door:
        if is_warm:
            services_of(door.app).warm_up.run()
        monkeypatch.setattr(threading.Thread, "start", refuse)
        error = error_of(door.send("GET", "/readyz"), 503, "NOT_READY")
        assert "limit of processes" in error["message"]
        monkeypatch.undo()
        services_of(door.app).warm_up.run()
        assert door.send("GET", "/readyz").status == 200


def test_a_test_client_need_not_close_its_answers(app: Flask, picture: bytes) -> None:
    """Without gunicorn nobody may ever close an answer; its place and memory are free anyway."""
    client = app.test_client()
    answers = [
        client.post("/v1/remove-bg/universal", data={"image": (io.BytesIO(picture), "a.png")})
        for _ in range(40)
    ]
    assert [answer.status_code for answer in answers] == [200] * 40
    assert services_of(app).engine.room._in_use == 0
