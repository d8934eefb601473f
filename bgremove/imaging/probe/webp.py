"""What a WEBP declares: canvas and frames, orientation, colour profile."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.errors import ImageError
from bgremove.imaging.probe.exif import UPRIGHT, orientation_in_xmp, orientation_of
from bgremove.imaging.probe.limits import (
    MAX_METADATA_BYTES,
    Limits,
    check_canvas,
    check_size,
    cut_short,
    refuse_above,
)

ICC_FLAG, EXIF_FLAG, ANIMATION_FLAG = 0x20, 0x08, 0x02
MAX_CHUNKS = 110_000  # above the most frames that can be allowed; a walk over them takes 50 ms


def read(data: bytes, limits: Limits) -> ImageHeader:
    """Read the canvas, then walk the chunks for frames and metadata."""
    if len(data) < 30:
        raise cut_short("WEBP")
    kind = data[12:16]
    if kind == b"VP8X":
        return _read_extended(data, limits)
    if kind == b"VP8 ":
        width, height = struct.unpack_from("<HH", data, 26)
        return ImageHeader(ImageType.WEBP, width & 0x3FFF, height & 0x3FFF)
    if kind == b"VP8L":
        packed = int.from_bytes(data[21:25], "little")
        return ImageHeader(ImageType.WEBP, (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1)
    raise ImageError("The WEBP is damaged: it starts with no picture")


def _read_extended(data: bytes, limits: Limits) -> ImageHeader:
    flags, canvas = data[20], _size(data[24:30])
    check_size(*canvas, limits)
    frames, orientation, xmp_orientation, profile = 0, None, None, None
    for number, (name, body) in enumerate(_chunks(data)):
        if number >= MAX_CHUNKS:
            raise ImageError(f"The WEBP has more chunks than the limit of {MAX_CHUNKS:,}")
        if name == b"ANMF":
            frames += 1
            refuse_above(limits.max_frames, frames, "frames")
            if frames == 1 and len(body) >= 12:
                check_canvas(canvas, _size(body[6:12]))
        elif name == b"EXIF" and flags & EXIF_FLAG and orientation is None:
            refuse_above(MAX_METADATA_BYTES, len(body), "bytes of EXIF")
            orientation = orientation_of(bytes(body))
        elif name == b"XMP " and xmp_orientation is None:
            refuse_above(MAX_METADATA_BYTES, len(body), "bytes of XMP")
            xmp_orientation = orientation_in_xmp(bytes(body))
        elif name == b"ICCP" and flags & ICC_FLAG and profile is None:
            refuse_above(MAX_METADATA_BYTES, len(body), "bytes of colour profile")
            profile = bytes(body)
    if not flags & ANIMATION_FLAG:
        frames = 1
    return ImageHeader(
        ImageType.WEBP, *canvas, max(1, frames), orientation or xmp_orientation or UPRIGHT, profile
    )


def _size(packed: bytes | memoryview) -> tuple[int, int]:
    """Read width and height, 24 bits each, stored less 1."""
    width, height = (int.from_bytes(packed[at : at + 3], "little") + 1 for at in (0, 3))
    return width, height


def _chunks(data: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Walk the RIFF chunks that lie wholly within ``data``."""
    view, at = memoryview(data), 12
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > len(data):
            return
        yield name, view[at + 8 : at + 8 + length]
        at += 8 + length + (length & 1)
