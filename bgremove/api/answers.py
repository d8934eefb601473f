"""The answers of the service: a picture, or the JSON envelope of a success or an error.

Two functions send an envelope without WSGI: for a request that gunicorn cannot parse, and for one
whose thread hangs.
"""

from __future__ import annotations

import base64
import json
import logging
import socket
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Request, Response

from bgremove.api.schemas import ErrorEnvelopeSchema, RemovalEnvelopeSchema
from bgremove.datatypes import Removal
from bgremove.errors import BgremoveError, Detail, ErrorCode
from bgremove.headers import Header
from bgremove.options import ENCODINGS, Encoding, Options, OutputFormat
from bgremove.serving.request import RequestContext

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


def wants_json(request: Request) -> bool:
    """Return True if Accept names application/json and accepts no image.

    The default headers of browsers, axios and fetch contain ``*/*``, so these clients get the
    picture.
    """
    ranges = ((media.lower(), quality) for media, quality in request.accept_mimetypes)
    accepted = {media.partition(";")[0].strip() for media, quality in ranges if quality > 0}
    accepts_images = any(media == "*/*" or media.startswith("image/") for media in accepted)
    return "application/json" in accepted and not accepts_images


def encoding(request: Request, output_format: OutputFormat) -> Encoding | None:
    """Choose the file type of an answer. None means the default of the output format.

    WebP is chosen if Accept names it and names no other type of the format with a higher
    preference; ``*/*`` names no type. PNG is chosen for a picture with a background if Accept
    contains PNG but not JPEG.
    """
    named = {media.partition(";")[0].strip().lower(): q for media, q in request.accept_mimetypes}
    preferences = {kind: named.get(f"image/{kind}", 0) for kind in ENCODINGS[output_format]}
    webp = preferences.get(Encoding.WEBP, 0)
    if webp > 0 and webp == max(preferences.values()):
        return Encoding.WEBP
    accept = request.accept_mimetypes
    accepts_png, accepts_jpeg = accept.quality("image/png") > 0, accept.quality("image/jpeg") > 0
    is_white = output_format is OutputFormat.WHITE_BG
    return Encoding.PNG if is_white and accepts_png and not accepts_jpeg else None


def picture(removal: Removal, context: RequestContext) -> Response:
    """Answer with the picture itself."""
    response = Response(removal.image.data, mimetype=removal.image.content_type)
    return _with_headers(response, removal, context)


def envelope(removal: Removal, options: Options, context: RequestContext) -> Response:
    """Answer with the envelope, which contains the picture as base64."""
    image = removal.image
    data = {
        "image": base64.b64encode(image.data).decode("ascii"),
        "content_type": image.content_type,
        "width": image.width,
        "height": image.height,
        "subject": options.subject,
        "output_format": options.output_format,
        "model": removal.model,
        "confidence": round(removal.confidence, 3),
        "warnings": removal.warnings,
        "foreground": removal.box,
    }
    meta = _meta(context.request_id, context.elapsed_ms)
    body = json.dumps(_SUCCESS.dump({"meta": meta, "data": data, "warnings": removal.warnings}))
    response = Response(body, mimetype="application/json")
    return _with_headers(response, removal, context)


def _with_headers(response: Response, removal: Removal, context: RequestContext) -> Response:
    response.vary.add("Accept")
    timings = (f"{stage};dur={ms}" for stage, ms in removal.stages_ms.items())
    headers = {
        Header.PROCESSING_MS: context.elapsed_ms,
        Header.MODEL: removal.model,
        Header.CONFIDENCE: f"{removal.confidence:.2f}",
        Header.WIDTH: removal.image.width,
        Header.HEIGHT: removal.image.height,
        Header.FOREGROUND_TOP: removal.box.top,
        Header.FOREGROUND_LEFT: removal.box.left,
        Header.FOREGROUND_WIDTH: removal.box.width,
        Header.FOREGROUND_HEIGHT: removal.box.height,
        Header.SERVER_TIMING: ", ".join(timings),
    }
    for name, value in headers.items():
        response.headers[name] = str(value)
    if removal.warnings:
        response.headers[Header.WARNINGS] = ", ".join(removal.warnings)
    return response


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
