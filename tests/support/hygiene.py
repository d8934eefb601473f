"""Checks that hold for every answer and every log line, independent of the request."""

from __future__ import annotations

import json

from bgremove.log import MAX_EXCEPTION, MAX_TEXT
from tests.support.http import Answer

MARK = "MARK"  # part of everything that is sent, so that leaks can be found
CUT = "... (9,999,999 characters)"  # appended by the log to shortened texts
MAX_HEADER = 200
MAX_BODY = 40_000  # room for the messages of a hundred faulty fields


def check_answer(answer: Answer) -> None:
    assert "x-injected" not in answer.headers
    for name, value in answer.headers.items():
        assert name.isascii()
        assert value.isascii()
        assert value.isprintable()
        assert MARK not in value
        assert len(value) <= MAX_HEADER
    body = answer.body.decode("ascii")
    assert body.isprintable()
    assert len(body) <= MAX_BODY
    assert answer.headers["content-type"] == "application/json"


def check_log(log: bytes) -> None:
    """Check complete lines of a log, which may be empty."""
    lines = log.decode("ascii").split("\n")
    assert lines.pop() == ""
    for line in lines:
        assert line.isprintable()
        parsed = json.loads(line)
        assert list(parsed)[:4] == ["time", "level", "logger", "message"]
        assert parsed["level"] in {"INFO", "WARNING", "ERROR"}
        for name, value in parsed.items():
            longest = MAX_EXCEPTION if name == "exception" else MAX_TEXT + len(CUT)
            assert len(str(value)) <= longest
