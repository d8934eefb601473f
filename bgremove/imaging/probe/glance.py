"""Read only the declared size of a picture, to estimate its work before it is probed."""

from __future__ import annotations

import struct
from itertools import islice

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.errors import ImageError
from bgremove.imaging.probe import webp
from bgremove.imaging.probe.jpeg_segments import FRAME_HEADERS, segments
from bgremove.imaging.probe.kinds import type_of

MAX_SEGMENTS = 1000  # of a JPEG, up to its frame; photographs have under 300


def glance(data: bytes) -> ImageHeader | None:
    """Return the declared type and size of a picture; None where it has none.

    The size is not checked. Takes under 1 ms for any file, so that it needs no place.
    """
    kind = type_of(data)
    try:
        width, height = _size(kind, data) if kind else (0, 0)
    except (struct.error, ImageError, ValueError):  # `probe` names the damage
        return None
    if kind is None or width < 1 or height < 1:
        return None
    return ImageHeader(kind, width, height)


def _size(kind: ImageType, data: bytes) -> tuple[int, int]:
    match kind:
        case ImageType.PNG:
            width, height = struct.unpack_from(">II", data, 16)
        case ImageType.GIF:
            width, height = struct.unpack_from("<HH", data, 6)
        case ImageType.BMP:
            layout = "<HH" if data[14:15] == b"\x0c" else "<ii"  # OS/2's header, or Windows'
            width, height = struct.unpack_from(layout, data, 18)
        case ImageType.WEBP:
            width, height = webp.canvas_size(data)
        case ImageType.JPEG:
            return _jpeg_size(data)
    return width, abs(height)


def _jpeg_size(data: bytes) -> tuple[int, int]:
    for marker, body in islice(segments(data), MAX_SEGMENTS):
        if marker in FRAME_HEADERS:
            height, width = struct.unpack_from(">HH", body, 1)
            return width, height
    return 0, 0
