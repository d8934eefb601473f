"""The application behind a check for one key, so that the page gets a 401: `guarded:app`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from bgremove import create_app
from bgremove.api.answers import error_envelope
from bgremove.errors import ErrorCode

KEY = "k-right"
LATE_S = 1.5  # delay of the refusal of a picture named late.jpg
app = create_app()
served = app.wsgi_app


def guarded(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Answer a picture without the key with the service's 401 envelope."""
    if environ["REQUEST_METHOD"] != "POST" or environ.get("HTTP_X_API_KEY") == KEY:
        return served(environ, start_response)
    if b"late.jpg" in environ["wsgi.input"].read():
        time.sleep(LATE_S)
    message = "Wrong key" if "HTTP_X_API_KEY" in environ else "A key is needed"
    body = error_envelope("id-401", 0, ErrorCode.UNAUTHORIZED, message).encode()
    start_response("401 UNAUTHORIZED", [("Content-Type", "application/json")])
    return [body]


app.wsgi_app = guarded  # type: ignore[method-assign]
