"""The answer to a removal that succeeded: the bare picture, or the envelope where JSON is asked."""

from __future__ import annotations

import base64
import json
from dataclasses import asdict

from flask import Response

from bgremove.api.envelope import success_envelope
from bgremove.datatypes import Options, Removal
from bgremove.serving.context import RequestContext


def picture(removal: Removal, context: RequestContext) -> Response:
    """Answer with the picture itself."""
    response = Response(removal.image.data, mimetype=removal.image.content_type)
    return _with_headers(response, removal, context)


def envelope(removal: Removal, options: Options, context: RequestContext) -> Response:
    """Answer with the envelope, the picture in it as base64."""
    image = removal.image
    data = {
        "image": base64.b64encode(image.data).decode("ascii"),
        "contentType": image.content_type,
        "width": image.width,
        "height": image.height,
        "subject": options.subject,
        "outputFormat": options.output_format,
        "model": removal.model,
        "foreground": asdict(removal.box),
    }
    body = success_envelope(context.request_id, context.elapsed_ms, data, removal.warnings)
    response = Response(json.dumps(body), mimetype="application/json")
    return _with_headers(response, removal, context)


def _with_headers(response: Response, removal: Removal, context: RequestContext) -> Response:
    response.vary.add("Accept")
    timings = (f"{stage};dur={ms}" for stage, ms in removal.stages_ms.items())
    headers = {
        "X-Processing-Ms": context.elapsed_ms,
        "X-Model": removal.model,
        "X-Confidence": f"{removal.confidence:.2f}",
        "X-Width": removal.image.width,
        "X-Height": removal.image.height,
        "X-Foreground-Top": removal.box.top,
        "X-Foreground-Left": removal.box.left,
        "X-Foreground-Width": removal.box.width,
        "X-Foreground-Height": removal.box.height,
        "Server-Timing": ", ".join(timings),
    }
    for name, value in headers.items():
        response.headers[name] = str(value)
    if removal.warnings:
        response.headers["X-Warnings"] = ", ".join(removal.warnings)
    return response
