"""What a client takes, from its Accept header."""

from __future__ import annotations

from flask import Request

from bgremove.datatypes import Encoding, OutputFormat


def wants_json(request: Request) -> bool:
    """Tell whether Accept names application/json and takes no image at all.

    The default headers of browsers, axios and fetch hold ``*/*`` and still get the picture.
    """
    ranges = ((media.lower(), quality) for media, quality in request.accept_mimetypes)
    taken = {media.partition(";")[0].strip() for media, quality in ranges if quality > 0}
    takes_images = any(media == "*/*" or media.startswith("image/") for media in taken)
    return "application/json" in taken and not takes_images


def encoding(request: Request, output_format: OutputFormat) -> Encoding | None:
    """Choose PNG for a picture on white when Accept takes PNG but not JPEG; None is the default."""
    accept = request.accept_mimetypes
    takes_png, takes_jpeg = accept.quality("image/png") > 0, accept.quality("image/jpeg") > 0
    is_white = output_format is OutputFormat.WHITE_BG
    return Encoding.PNG if is_white and takes_png and not takes_jpeg else None
