"""What belongs to one HTTP request: its id, its clock, its deadline, its line in the access log."""

from __future__ import annotations

import logging
import re
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, g, request

from bgremove import log
from bgremove.api.serving.connection import Connection
from bgremove.deadline import Deadline

REQUEST_ID_PATTERN = re.compile(r"[A-Za-z0-9_-]{1,64}")
QUIET_PATHS = frozenset({"/livez", "/readyz", "/metrics"})  # their successes are not logged
logger = logging.getLogger("bgremove.access")


@dataclass(slots=True)
class RequestContext:
    """``notes`` are added to the access log line by whoever knows them."""

    request_id: str
    started: float
    deadline: Deadline
    connection: Connection
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def elapsed_ms(self) -> int:
        """Milliseconds since the request came in, on the monotonic clock."""
        return round((time.monotonic() - self.started) * 1000)


def current() -> RequestContext:
    """Return the context of the request being answered."""
    context: RequestContext = g.context
    return context


def new_request_id(offered: str | None) -> str:
    """Return the client's id where it is well formed, else a new UUID."""
    if offered is not None and REQUEST_ID_PATTERN.fullmatch(offered):
        return offered
    return str(uuid.uuid4())


def register(app: Flask, timeout_s: float) -> None:
    """Give every request a context, every answer its headers and a line in the access log."""

    @app.before_request
    def _begin() -> None:
        request_id = new_request_id(request.headers.get("X-Request-Id"))
        log.request_id.set(request_id)
        connection = Connection(request.environ)
        deadline = Deadline.after(timeout_s, connection.is_gone)
        g.context = RequestContext(request_id, time.monotonic(), deadline, connection)

    @app.after_request
    def _finish(response: Response) -> Response:
        response.headers["X-Request-Id"] = current().request_id
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers["X-Content-Type-Options"] = "nosniff"
        _log_access(response)
        return response

    @app.teardown_request
    def _end(_: BaseException | None) -> None:
        log.request_id.set(None)


def _log_access(response: Response) -> None:
    if request.path in QUIET_PATHS and response.status_code < 400:
        return
    line = {
        "method": request.method,
        "path": request.path,
        "status": response.status_code,
        "ms": current().elapsed_ms,
        "bytes": response.content_length,
    }
    logger.info("request", extra=line | current().notes)
