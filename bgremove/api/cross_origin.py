"""Cross-origin requests: which other sites' pages may ask, and read the answers."""

from __future__ import annotations

from flask import Flask

from bgremove.headers import Header
from bgremove.settings import listed

ALLOWED = (Header.API_KEY, Header.REQUEST_ID, "Accept", "Authorization", "Content-Type")
# A page reads these beside those that every page may (such as Content-Type).
EXPOSED = (
    Header.REQUEST_ID,
    Header.PROCESSING_MS,
    Header.SERVER_TIMING,
    Header.MODEL,
    Header.CONFIDENCE,
    Header.WIDTH,
    Header.HEIGHT,
    Header.FOREGROUND_TOP,
    Header.FOREGROUND_LEFT,
    Header.FOREGROUND_WIDTH,
    Header.FOREGROUND_HEIGHT,
    Header.WARNINGS,
    Header.RETRY_AFTER,
    Header.WWW_AUTHENTICATE,
)
PREFLIGHT_S = 600  # a browser keeps the answer to a preflight for so long


def register(app: Flask, origins: str) -> None:
    """Answer preflights and mark answers, errors too, for ``origins``; without any, do nothing."""
    if not origins:
        return
    from flask_cors import CORS  # here: most services have a page of their own only

    CORS(
        app,
        origins=listed(origins),
        methods=["GET", "POST"],
        allow_headers=[str(name) for name in ALLOWED],
        expose_headers=[str(name) for name in EXPOSED],
        max_age=PREFLIGHT_S,
        send_wildcard=True,
    )
