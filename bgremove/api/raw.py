"""Error envelopes sent without WSGI.

For requests that gunicorn cannot parse and for requests whose thread hangs.
"""

from __future__ import annotations

import logging
import socket
import uuid
from http import HTTPStatus

from bgremove.api.envelope import error_envelope
from bgremove.errors import BgremoveError, ErrorCode

logger = logging.getLogger("bgremove.access")
MESSAGES = {
    400: "The request is not well-formed HTTP",
    403: "This connection is not allowed",
    414: "The request line is longer than this server takes",
    417: "This server does not meet what Expect asks for",
    431: "The request headers are larger than this server takes",
    501: "This server does not know that transfer coding",
}


def write_envelope(sock: socket.socket, status_int: int, reason: str, mesg: str) -> None:
    """Send an error envelope; replaces `gunicorn.util.write_error`, with the same arguments.

    ``reason`` and ``mesg`` contain text of the client and of the library. Neither is sent.
    """
    request_id = str(uuid.uuid4())
    is_ours = status_int == HTTPStatus.INTERNAL_SERVER_ERROR
    code = ErrorCode.INTERNAL_ERROR if is_ours else ErrorCode.VALIDATION_ERROR
    message = MESSAGES.get(status_int, "The request could not be answered")
    logger.info("unread request", extra={"requestId": request_id, "status": status_int})
    sock.setblocking(False)
    sock.sendall(_message(status_int, request_id, error_envelope(request_id, 0, code, message)))


def error_message(error: BgremoveError, request_id: str, elapsed_ms: int) -> bytes:
    """Return the whole HTTP answer for ``error``. The connection closes after it."""
    envelope = error_envelope(request_id, elapsed_ms, error.code, error.message, error.details)
    return _message(error.code.status, request_id, envelope)


def _message(status: int, request_id: str, envelope: str) -> bytes:
    body = envelope.encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Request-Id: {request_id}\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n\r\n"
    )
    return head.encode("ascii") + body
