"""Log lines, and logging to a reader that does not read."""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bgremove.log import (
    DROPPED,
    MAX_TEXT,
    JsonFormatter,
    LossyHandler,
    WithoutQuotes,
    configure_logging,
    request_id,
)

LINE = "x" * 99


@pytest.fixture
def logger() -> Iterator[logging.Logger]:
    """Return the package's logger, and give it back as it was."""
    logger = logging.getLogger("bgremove")
    before = (logger.handlers, logger.level, logger.propagate)
    yield logger
    logger.handlers, logger.propagate = before[0], before[2]
    logger.setLevel(before[1])


def line_of(message: str, *args: object, **extra: object) -> dict[str, Any]:
    record = logging.makeLogRecord(
        {"name": "bgremove.x", "levelname": "INFO", "msg": message, "args": args} | extra
    )
    text = JsonFormatter().format(record)
    assert "\n" not in text
    return dict(json.loads(text))


def test_a_line_says_when_who_what_and_how_bad() -> None:
    line = line_of("%d of %d", 1, 2)
    age = datetime.now(UTC) - datetime.fromisoformat(line.pop("time"))
    assert 0 <= age.total_seconds() < 60
    assert line == {"level": "INFO", "logger": "bgremove.x", "message": "1 of 2"}


def test_a_line_carries_the_id_of_the_request_it_belongs_to() -> None:
    token = request_id.set("abc-1")
    try:
        assert line_of("hello")["requestId"] == "abc-1"
    finally:
        request_id.reset(token)
    assert "requestId" not in line_of("hello")


def test_extra_values_are_fields_and_what_is_no_json_is_said_in_words() -> None:
    line = line_of("hello", stages={"decode": 1.5}, file=Path("/x"))
    assert line["stages"] == {"decode": 1.5}
    assert line["file"] == "/x"


def test_nothing_a_client_sent_can_forge_a_line() -> None:
    forged = 'x\n{"level": "ERROR"}\r\x1b[2J\u2028\udcff'
    assert line_of("%s", forged)["message"] == forged


def test_a_long_text_is_cut_and_its_length_said() -> None:
    line = line_of("x" * (MAX_TEXT + 1), path="y" * MAX_TEXT, other="z" * 5_000)
    assert line["message"] == "x" * MAX_TEXT + "... (1,001 characters)"
    assert line["path"] == "y" * MAX_TEXT
    assert line["other"] == "z" * MAX_TEXT + "... (5,000 characters)"


def test_a_key_is_taken_out_wherever_it_stands() -> None:
    key = "bgr_" + "Ab3-_" * 8 + "xyz"
    try:
        raise ValueError(f"broken: {key}")
    except ValueError:
        line = line_of(f"a {key}.", path=f"/{key}/", all=[key], exc_info=sys.exc_info())
    assert (line["message"], line["path"]) == ("a bgr_(a key).", "/bgr_(a key)/")
    assert key not in str(line)
    cut = line_of("message", path="p" * (MAX_TEXT - 20) + key)
    assert "Ab3" not in cut["path"]


@pytest.mark.parametrize("client", ["127.0.0.1", "::1", ""])
@pytest.mark.parametrize("said", ["Invalid HTTP Header", "Obsolete line folding is unacceptable"])
def test_what_gunicorn_quotes_is_left_out(client: str, said: str) -> None:
    record = logging.makeLogRecord({"msg": f"Invalid request from ip={client}: {said}: 'X y\nz'"})
    assert WithoutQuotes().filter(record)
    assert record.getMessage() == f"Invalid request from ip={client}: {said}"


def test_what_quotes_nobody_is_left_alone() -> None:
    record = logging.makeLogRecord({"msg": "Booting worker with pid: %s", "args": (12,)})
    assert WithoutQuotes().filter(record)
    assert record.getMessage() == "Booting worker with pid: 12"


def test_an_exception_is_in_the_line() -> None:
    try:
        raise ValueError("broken")
    except ValueError:
        line = line_of("failed", exc_info=sys.exc_info())
    assert "ValueError: broken" in line["exception"]
    assert "Traceback" in line["exception"]


def test_configured_twice_each_line_is_printed_once_and_by_level(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    for _ in range(2):
        configure_logging("WARNING")
    below = logging.getLogger("bgremove.api.context")
    below.info("too little")
    below.warning("enough", extra={"model": "u2net"})
    (line,) = capsys.readouterr().out.splitlines()
    assert json.loads(line).items() >= {"message": "enough", "model": "u2net"}.items()


class Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return f"{record.getMessage()}{getattr(record, 'count', '')}"


@pytest.fixture(params=["pipe", "socket", "pipe of somebody else"])
def ends(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple]:
    """Give the reading end, and the writing end as a stream."""
    if request.param == "socket":
        ours, theirs = socket.socketpair()
        reading, writing = ours.detach(), theirs.detach()
    else:
        reading, writing = os.pipe()
    if request.param == "pipe of somebody else":

        def refuse(*_: object) -> int:
            raise PermissionError

        monkeypatch.setattr(os, "open", refuse)
    os.set_blocking(reading, False)
    with os.fdopen(writing, "w") as stream:
        yield reading, stream
    os.close(reading)


def logged(handler: LossyHandler, *lines: str) -> None:
    for line in lines:
        handler.handle(logging.makeLogRecord({"msg": line, "levelno": logging.INFO}))


def read(reading: int) -> list[str]:
    text = b""
    try:
        while block := os.read(reading, 1 << 20):
            text += block
    except BlockingIOError:
        pass
    return text.decode().splitlines()


def test_lines_arrive_in_order(ends: tuple) -> None:
    reading, stream = ends
    handler = LossyHandler(stream)
    handler.setFormatter(Formatter())
    logged(handler, "one", "two\u00e9")
    assert read(reading) == ["one", "two\u00e9"]
    assert handler.dropped == 0


def test_a_reader_that_does_not_read_holds_nobody_up(ends: tuple) -> None:
    reading, stream = ends
    handler = LossyHandler(stream)
    handler.setFormatter(Formatter())
    for _ in range(20_000):
        logged(handler, LINE)
    assert handler.dropped > 1000
    dropped = handler.dropped
    lines = read(reading)
    logged(handler, "last")
    rest = read(reading)
    whole = lines + rest if len(lines[-1]) == len(LINE) else [*lines[:-1], lines[-1] + rest[0]]
    assert set(whole) - {f"{DROPPED}{dropped}", "last"} == {LINE}
    assert rest[-2:] == [f"{DROPPED}{dropped}", "last"]
    assert len(set(lines[:-1])) == 1
    assert handler.dropped == 0


def test_a_long_line_is_whole_when_it_is_read(ends: tuple) -> None:
    reading, stream = ends
    handler = LossyHandler(stream)
    handler.setFormatter(Formatter())
    logged(handler, "Q" * 300_000)
    text = "".join(read(reading))
    for _ in range(200):
        logged(handler, "z")
        text += "\n".join(read(reading))
    assert text.count("Q") == 300_000


def test_files_get_every_line(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w") as stream:
        handler = LossyHandler(stream)
        handler.setFormatter(Formatter())
        logged(handler, *[LINE] * 5000)
    assert len((tmp_path / "log").read_text().splitlines()) == 5000
