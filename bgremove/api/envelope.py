"""The JSON envelope of every answer that is not a bare picture.

Two functions send one without WSGI: for a request that gunicorn cannot parse, and for one whose
thread hangs.
"""

from __future__ import annotations

import json
import logging
import socket
import uuid
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from bgremove.api.schemas.answers import ErrorEnvelopeSchema, RemovalEnvelopeSchema
from bgremove.errors import BgremoveError, Detail, ErrorCode

logger = logging.getLogger("bgremove.access")
MESSAGES = {  # by the status of a request that gunicorn refuses
    400: "The request is not well-formed HTTP",
    403: "This connection is not allowed",
    414: "The request line is longer than this server takes",
    417: "This server does not meet what Expect asks for",
    431: "The request headers are larger than this server takes",
    501: "This server does not know that transfer coding",
}
_SUCCESS, _ERROR = RemovalEnvelopeSchema(), ErrorEnvelopeSchema()


def success_envelope(
    request_id: str, processing_ms: int, data: Mapping[str, Any], warnings: Iterable[str]
) -> str:
    """Return the data of a removal in an envelope, as JSON."""
    meta = _meta(request_id, processing_ms)
    return json.dumps(_SUCCESS.dump({"meta": meta, "data": data, "warnings": list(warnings)}))


def error_envelope(
    request_id: str,
    processing_ms: int,
    code: ErrorCode,
    message: str,
    details: Iterable[Detail] = (),
    warnings: Iterable[str] = (),
) -> str:
    """Return an error in an envelope, as JSON: code, message, faulty fields and warnings."""
    meta = _meta(request_id, processing_ms)
    error = {"code": code, "message": message, "details": list(details)}
    return json.dumps(_ERROR.dump({"meta": meta, "error": error, "warnings": list(warnings)}))


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
    return _message(error.status, request_id, envelope)


def _message(status: int, request_id: str, envelope: str) -> bytes:
    body = envelope.encode()
    head = (
        f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\nConnection: close\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"X-Request-Id: {request_id}\r\nCache-Control: no-store\r\n"
        "X-Content-Type-Options: nosniff\r\n\r\n"
    )
    return head.encode("ascii") + body


def _meta(request_id: str, processing_ms: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"request_id": request_id, "created_at": now, "processing_ms": processing_ms}
