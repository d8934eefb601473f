"""The answer to a successful removal, of the type that Accept requests: a picture or JSON."""

from __future__ import annotations

import base64

from flask import Request, Response

from bgremove.api.envelope import success_envelope
from bgremove.datatypes import Removal
from bgremove.headers import Header
from bgremove.options import ENCODINGS, Encoding, Options, OutputFormat
from bgremove.serving.request import RequestContext


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
