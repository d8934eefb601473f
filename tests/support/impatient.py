"""The application and its worker, with short timeouts for clients that do not read or write.

For gunicorn, as ``tests.support.impatient:app``.
"""

from __future__ import annotations

from bgremove.serving import uploads, worker
from wsgi import app

__all__ = ["HEADERS_S", "app"]
HEADERS_S = 4.0

uploads.SEND_SECONDS = uploads.BODILESS_SEND_SECONDS = 1.0
worker.HEADERS_S = HEADERS_S
