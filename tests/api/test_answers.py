"""The envelope where gunicorn has no request to hand on."""

from __future__ import annotations

import json
import socket

import pytest

from bgremove.api.answers import write_envelope
from tests.support.http import LEAK


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "VALIDATION_ERROR"),
        (403, "VALIDATION_ERROR"),
        (414, "VALIDATION_ERROR"),
        (417, "VALIDATION_ERROR"),
        (431, "VALIDATION_ERROR"),
        (501, "VALIDATION_ERROR"),
        (500, "INTERNAL_ERROR"),
    ],
)
def test_the_answer_is_whole_and_says_nothing_of_the_client(status: int, code: str) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        write_envelope(ours, status, "Reason\r\nX: y", "<b>Invalid '/etc/passwd' in werkzeug</b>")
        ours.shutdown(socket.SHUT_WR)
        with theirs.makefile("rb") as reader:
            head, body = reader.read().split(b"\r\n\r\n")
    lines = head.decode("ascii").split("\r\n")
    headers = dict(line.split(": ") for line in lines[1:])
    envelope = json.loads(body)
    assert lines[0].startswith(f"HTTP/1.1 {status} ")
    assert headers == {
        "Connection": "close",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "X-Request-Id": envelope["meta"]["requestId"],
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    assert envelope["error"]["code"] == code
    assert not LEAK.search(body.decode())
