"""Cross-origin requests: the sites whose pages may send requests and read the answers."""

from __future__ import annotations

from flask import Flask

from bgremove.api.removal_description import RESULT_HEADERS
from bgremove.headers import Header
from bgremove.settings import listed

ALLOWED = (Header.API_KEY, Header.REQUEST_ID, "Accept", "Authorization", "Content-Type")
# Headers a page may read, besides those that CORS always exposes (such as Content-Type).
EXPOSED = (Header.REQUEST_ID, *RESULT_HEADERS, Header.RETRY_AFTER, Header.WWW_AUTHENTICATE)
PREFLIGHT_S = 600  # a browser caches the answer to a preflight this long


def register(app: Flask, origins: str) -> None:
    """Answer preflights for ``origins`` and mark all answers, errors included.

    Does nothing if ``origins`` is empty.
    """
    if not origins:
        return
    from flask_cors import CORS  # imported only if needed: most servers allow no other origin

    CORS(
        app,
        origins=listed(origins),
        methods=["GET", "POST"],
        allow_headers=[str(name) for name in ALLOWED],
        expose_headers=[str(name) for name in EXPOSED],
        max_age=PREFLIGHT_S,
        send_wildcard=True,
    )
