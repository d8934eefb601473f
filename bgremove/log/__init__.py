"""Log lines as JSON, each with the id of its request, or as plain text on a terminal."""

from __future__ import annotations

import json
import logging
import re
import sys
from contextvars import ContextVar
from datetime import UTC, datetime

from bgremove.log.handler import LossyHandler

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
BUILT_IN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
MAX_TEXT = 1_000  # characters of one value of a line; a path alone may have 4,000
MAX_EXCEPTION = 10_000
# A bgremove API key or the rest of a cut one, wherever a client put it, such as in the path.
KEY = re.compile(r"bgr_[A-Za-z0-9_-]{8,}")
serves_at = ""  # the address of this process's server, for the readiness line


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
