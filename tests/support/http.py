"""The clients of the harness, Flask's test client beside them, and checks of every answer."""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Flask

from harness.forms import BOUNDARY, FORM_TYPE, file, form, part, text
from harness.gunicorn import Server, gunicorn
from harness.http import ANSWER_S, PATH, Answer, Door, WireDoor
from harness.programs import ROOT, START_S, STOP_S, free_port, free_ports

__all__ = [
    "ANSWER_S",
    "BOUNDARY",
    "FORM_TYPE",
    "PATH",
    "ROOT",
    "START_S",
    "STOP_S",
    "Answer",
    "Door",
    "FlaskDoor",
    "Server",
    "WireDoor",
    "check_meta",
    "error_of",
    "file",
    "form",
    "free_port",
    "free_ports",
    "gunicorn",
    "part",
    "post",
    "text",
]
CREATED_AT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
LEAK = re.compile(
    rf"{re.escape(str(ROOT))}|"
    r"Traceback|File \"|/usr/|/home/|site-packages|\.py\b|<html|werkzeug|marshmallow|numpy"
    r"|cv2|opencv|onnx|gunicorn|flask|State\.",
    re.IGNORECASE,
)


def post(door: Door, body: bytes, content_type: str | None = FORM_TYPE, **headers: str) -> Answer:
    """Post a form; header names are given with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        named["Content-Type"] = content_type
    return door.send("POST", PATH, body, named)


def error_of(answer: Answer, status: int, code: str) -> dict[str, Any]:
    """Check that an answer is exactly an error envelope; return its ``error``."""
    assert answer.status == status, answer
    envelope = answer.json()
    assert set(envelope) == {"meta", "data", "warnings", "error"}
    assert envelope["data"] is None
    assert envelope["warnings"] == []
    check_meta(answer, envelope["meta"])
    error: dict[str, Any] = envelope["error"]
    assert set(error) == {"code", "message", "details"}
    assert error["code"] == code, error
    assert isinstance(error["message"], str)
    assert error["message"]
    for detail in error["details"]:
        assert set(detail) == {"field", "issue"}
        assert all(isinstance(value, str) and value for value in detail.values())
    assert not LEAK.search(answer.body.decode()), answer.body
    assert answer.headers["cache-control"] == "no-store"
    return error


def check_meta(answer: Answer, meta: Mapping[str, Any]) -> None:
    """Check the ``meta`` of an envelope against its answer's headers and the clock."""
    assert set(meta) == {"requestId", "createdAt", "processingMs"}
    assert meta["requestId"] == answer.headers["x-request-id"]
    assert CREATED_AT.fullmatch(meta["createdAt"])
    age = datetime.now(UTC) - datetime.fromisoformat(meta["createdAt"])
    assert abs(age.total_seconds()) < 60
    assert type(meta["processingMs"]) is int
    assert meta["processingMs"] >= 0


class FlaskDoor(Door):
    """Flask's test client."""

    def __init__(self, app: Flask) -> None:
        self.app = app

    def _sent(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        client = self.app.test_client()
        if body:
            headers.setdefault("Content-Length", str(len(body)))
        stream = io.BytesIO(body)  # `data` would encode an empty form again
        with client.open(path, method=method, input_stream=stream, headers=headers) as response:
            named = {name.lower(): value for name, value in response.headers.items()}
            return Answer(response.status_code, named, response.get_data())
