"""The context of the current request, the headers of every answer, and the access log."""

from __future__ import annotations

import logging
import time
from typing import cast

from flask import Flask, Response, g, request

from bgremove import log
from bgremove.deadline import Deadline
from bgremove.errors import OverloadedError
from bgremove.headers import Header
from bgremove.serving.request import Connection, RequestContext, new_request_id
from bgremove.serving.uploads import REFUSAL
from bgremove.settings import Settings

QUIET_PATHS = frozenset({"/livez", "/readyz", "/metrics"})  # logged only on failure
logger = logging.getLogger("bgremove.access")


def current() -> RequestContext:
    """Return the context of the current request."""
    context: RequestContext = g.context
    return context


def register(app: Flask, settings: Settings) -> None:
    """Register the hooks that wrap each request.

    They create its context, set the headers of its answer and write a line to the access log.
    """

    @app.before_request
    def _begin() -> None:
        request_id = new_request_id(request.headers.get(Header.REQUEST_ID))
        log.request_id.set(request_id)
        connection = Connection(request.environ)
        reading = Deadline.after(settings.read_timeout_s, connection.is_gone)
        deadline = Deadline.after(settings.timeout_s, connection.is_gone)
        g.context = RequestContext(request_id, time.monotonic(), reading, deadline, connection)
        if (refusal := request.environ.get(REFUSAL)) is not None:  # before any other check
            raise cast("OverloadedError", refusal)

    @app.after_request
    def _finish(response: Response) -> Response:
        response.headers[Header.REQUEST_ID] = current().request_id
        response.headers.setdefault(Header.CACHE_CONTROL, "no-store")
        response.headers[Header.CONTENT_TYPE_OPTIONS] = "nosniff"
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
