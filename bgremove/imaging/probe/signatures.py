"""Detection of the five picture types from the first bytes."""

from __future__ import annotations

from bgremove.datatypes import ImageType


def type_of(data: bytes) -> ImageType | None:
    """Return the picture type of the first bytes; None if it is not one of the five."""
    if data.startswith(b"\xff\xd8\xff"):
        return ImageType.JPEG
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return ImageType.PNG
    if data.startswith((b"GIF87a", b"GIF89a")):
        return ImageType.GIF
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return ImageType.WEBP
    if data.startswith(b"BM"):
        return ImageType.BMP
    return None
