"""Logging to a reader that does not read."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from bgremove.log.handler import DROPPED, LossyHandler

LINE = "x" * 99


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
