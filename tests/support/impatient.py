"""The application and its worker, with little patience for clients that do not read or write.

For gunicorn, as ``tests.support.impatient:app``.
"""

from __future__ import annotations

from bgremove.api import draining
from bgremove.api.serving import worker
from wsgi import app

__all__ = ["HEADERS_S", "app"]
HEADERS_S = 4.0

draining.SEND_SECONDS = draining.BODILESS_SEND_SECONDS = 1.0
worker.HEADERS_S = HEADERS_S
