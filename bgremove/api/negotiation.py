"""What a client takes, from its Accept header."""

from __future__ import annotations

from flask import Request

from bgremove.datatypes import ENCODINGS, Encoding, OutputFormat


def wants_json(request: Request) -> bool:
    """Tell whether Accept names application/json and takes no image at all.

    The default headers of browsers, axios and fetch hold ``*/*`` and still get the picture.
    """
    ranges = ((media.lower(), quality) for media, quality in request.accept_mimetypes)
    taken = {media.partition(";")[0].strip() for media, quality in ranges if quality > 0}
    takes_images = any(media == "*/*" or media.startswith("image/") for media in taken)
    return "application/json" in taken and not takes_images


def encoding(request: Request, output_format: OutputFormat) -> Encoding | None:
    """Choose the file type of an answer; None leaves it to the format.

    WebP where Accept names it, with no other type of the format that is named and liked better:
    ``*/*`` names nothing. PNG for a picture on a ground when Accept takes PNG but not JPEG.
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
