"""Content negotiation by the Accept header."""

from __future__ import annotations

from flask import Request

from bgremove.options import ENCODINGS, Encoding, OutputFormat


def wants_json(request: Request) -> bool:
    """Return True if Accept names application/json and accepts no image.

    The default headers of browsers, axios and fetch contain ``*/*``, so these clients get the
    picture.
    """
    ranges = ((media.lower(), quality) for media, quality in request.accept_mimetypes)
    taken = {media.partition(";")[0].strip() for media, quality in ranges if quality > 0}
    takes_images = any(media == "*/*" or media.startswith("image/") for media in taken)
    return "application/json" in taken and not takes_images


def encoding(request: Request, output_format: OutputFormat) -> Encoding | None:
    """Choose the file type of an answer. None means the default of the output format.

    WebP is chosen if Accept names it and names no other type of the format with a higher
    preference; ``*/*`` names no type. PNG is chosen for a picture with a background if Accept takes
    PNG but not JPEG.
    """
    named = {media.partition(";")[0].strip().lower(): q for media, q in request.accept_mimetypes}
    likings = {kind: named.get(f"image/{kind}", 0) for kind in ENCODINGS[output_format]}
    webp = likings.get(Encoding.WEBP, 0)
    if webp > 0 and webp == max(likings.values()):
        return Encoding.WEBP
    accept = request.accept_mimetypes
    takes_png, takes_jpeg = accept.quality("image/png") > 0, accept.quality("image/jpeg") > 0
    is_white = output_format is OutputFormat.WHITE_BG
    return Encoding.PNG if is_white and takes_png and not takes_jpeg else None
