"""Log lines as JSON or plain text with the id of their request, and a handler that never blocks."""

from __future__ import annotations

import json
import logging
import os
import re
import select
import stat
import sys
from collections.abc import Callable
from contextvars import ContextVar
from datetime import UTC, datetime
from functools import partial
from typing import TextIO

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
BUILT_IN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
MAX_TEXT = 1_000  # characters of one value of a line; a path alone may have 4,000
MAX_EXCEPTION = 10_000
# A bgremove API key or the rest of a cut one, wherever a client put it, such as in the path.
KEY = re.compile(r"bgr_[A-Za-z0-9_-]{8,}")
serves_at = ""  # the address of this process's server, for the readiness line
DROPPED = "log lines were dropped because the reader is too slow"


class JsonFormatter(logging.Formatter):
    """Formats a record as one line of JSON, with its ``extra`` values.

    JSON escapes control characters, so that text from a client cannot forge a line or control a
    terminal. Long values are cut, and API keys removed.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _cut(record.getMessage()),
        }
        if (current := request_id.get()) is not None:
            line["requestId"] = current
        extra = {key: value for key, value in vars(record).items() if key not in BUILT_IN}
        line |= {key: _cut(value) for key, value in extra.items()}
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)[-MAX_EXCEPTION:]
        return KEY.sub("bgr_(a key)", json.dumps(line, default=str))


class PlainFormatter(logging.Formatter):
    """Formats a record as one line for a person at a terminal.

    Control characters are escaped, so that text from a client cannot control the terminal.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its end."""
        extra = vars(record)
        time = datetime.fromtimestamp(record.created).strftime("%H:%M:%S")
        line = f"{time}  {record.getMessage()}"
        if record.name == "bgremove.access":
            shown = (extra.get(key) for key in ("method", "path", "status"))
            line = f"{time}  {' '.join(map(str, shown))}  {extra.get('ms')} ms"
            line += "".join(f", {extra[key]}" for key in ("model", "code") if extra.get(key))
        elif record.getMessage() == "ready" and serves_at:
            subjects = (f"{subject} {model}" for subject, model in extra["subjects"].items())
            line = f"bgremove serves at {serves_at} ({', '.join(subjects)}). Ctrl-C stops it."
        elif record.levelno > logging.INFO:
            line += "".join(f"; {key}: {extra[key]}" for key in extra if key not in BUILT_IN)
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)[-MAX_EXCEPTION:]
        line = KEY.sub("bgr_(a key)", str(_cut(line)))
        return "".join(
            each if each.isprintable() or each == "\n" else repr(each)[1:-1] for each in line
        )


def is_for_people(record: logging.LogRecord) -> bool:
    """Return whether a line is shown on a terminal: requests, readiness and problems."""
    is_news = record.name == "bgremove.access" or record.getMessage() == "ready"
    return is_news or record.levelno > logging.INFO


def is_plain(choice: str) -> bool:
    """Return whether lines are plain text: by choice, or because they go to a terminal."""
    return choice == "text" or (choice == "auto" and sys.stdout.isatty())


def formatter(choice: str) -> logging.Formatter:
    """Return the formatter that `BGREMOVE_LOG_FORMAT` chooses."""
    return PlainFormatter() if is_plain(choice) else JsonFormatter()


def _cut(value: object) -> object:
    """Cut a long text and append its length."""
    if isinstance(value, str) and len(value) > MAX_TEXT:
        return f"{value[:MAX_TEXT]}... ({len(value):,} characters)"
    return value


class WithoutQuotes(logging.Filter):
    """Removes text of clients from gunicorn's lines.

    gunicorn quotes a header that it cannot parse in full, which may be a key without its colon.
    """

    QUOTING = re.compile(r"(Invalid request from ip=\S*: [A-Za-z ]+).*", re.DOTALL)

    def filter(self, record: logging.LogRecord) -> bool:
        """Remove the quoted text; accept every line."""
        if matched := self.QUOTING.fullmatch(record.getMessage()):
            record.msg, record.args = matched[1], ()
        return True


def configure_logging(level: str, choice: str = "json") -> None:
    """Send all logs of bgremove to standard output; safe to call again."""
    logger = logging.getLogger("bgremove")
    handler = LossyHandler(sys.stdout)
    handler.setFormatter(formatter(choice))
    if is_plain(choice) and level != "DEBUG":
        handler.addFilter(is_for_people)
    logger.handlers = [handler]
    logger.setLevel(level)
    logger.propagate = False


class LossyHandler(logging.StreamHandler[TextIO]):
    """Writes lines to a pipe, a terminal or a socket while there is room, and drops the others.

    A line with the number of dropped lines precedes the next line that fits.

    A pipe without a reader is full after 64 KiB. A write then blocks while it holds the handler's
    lock, and every thread that logs waits for it: all requests hang while health checks still
    answer.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        super().__init__(stream)
        self.dropped = 0
        self._rest = b""  # the rest of a line that fitted in part
        writer = _writer(self.stream)
        self._always_fits = writer is None
        self._write: Callable[[bytes], int] = writer or len

    def emit(self, record: logging.LogRecord) -> None:
        """Write a line, or drop it where the write would block."""
        if self._always_fits:
            super().emit(record)
            return
        try:
            line = (self.format(record) + self.terminator).encode("utf-8", "backslashreplace")
            if self.dropped:
                line = self._note() + line
            if self._is_written(self._rest) and not self._rest and self._is_written(line):
                self.dropped = 0
            else:
                self.dropped += 1
        except Exception:
            self.handleError(record)

    def _note(self) -> bytes:
        note = logging.LogRecord(__name__, logging.WARNING, "", 0, DROPPED, None, None)
        note.count = self.dropped
        return (self.format(note) + self.terminator).encode()

    def _is_written(self, line: bytes) -> bool:
        """Write as much as fits; return False where nothing fits and the line may be dropped."""
        whole = len(line)
        try:
            while line:
                line = line[self._write(line) :]
        except BlockingIOError:
            if len(line) == whole:
                return False
        self._rest = line
        return True


def _writer(stream: TextIO) -> Callable[[bytes], int] | None:
    """Return a function that writes bytes to a stream, or raises BlockingIOError if that blocks.

    None for files, which always have room, and for streams without a descriptor.
    """
    try:
        descriptor = stream.fileno()
        mode = os.fstat(descriptor).st_mode
    except (OSError, ValueError, AttributeError):  # captured, or closed
        return None
    if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or stream.isatty()):
        return None
    try:
        # The non-blocking flag is shared by all processes that write to the pipe. It is therefore
        # opened again where the system and the pipe's owner permit it.
        flags = os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return partial(os.write, os.open(f"/proc/self/fd/{descriptor}", flags))
    except OSError:
        return partial(_write_if_ready, descriptor)


def _write_if_ready(descriptor: int, data: bytes) -> int:
    poll = select.poll()
    poll.register(descriptor, select.POLLOUT)
    if not poll.poll(0):
        raise BlockingIOError
    return os.write(descriptor, data[: select.PIPE_BUF])
