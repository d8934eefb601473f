"""The answer to a successful removal: the bare picture or the JSON envelope."""

from __future__ import annotations

import base64

from flask import Response

from bgremove.api.envelope import success_envelope
from bgremove.datatypes import Removal
from bgremove.headers import Header
from bgremove.options import Options
from bgremove.serving.context import RequestContext


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
    body = success_envelope(context.request_id, context.elapsed_ms, data, removal.warnings)
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
