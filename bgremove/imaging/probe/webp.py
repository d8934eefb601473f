"""Read the header of a WEBP and find its first frame."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from bgremove.datatypes import FirstFrame, ImageHeader, ImageType
from bgremove.errors import ImageError
from bgremove.imaging.probe.limits import (
    MAX_METADATA_BYTES,
    Limits,
    check_canvas,
    check_size,
    cut_short,
    refuse_above,
)
from bgremove.imaging.probe.metadata import Metadata

ICC_FLAG, ALPHA_FLAG, EXIF_FLAG, ANIMATION_FLAG = 0x20, 0x10, 0x08, 0x02
CHUNK_HEAD_BYTES = 8
ANIMATION_FRAME_BYTES = 16  # header of an ANMF chunk, before the chunks of its frame
MAX_CHUNKS = 110_000  # above the largest frame limit; a walk over them takes 50 ms


def read(data: bytes, limits: Limits) -> ImageHeader:
    """Read the canvas, then walk the chunks for frames and metadata."""
    if data[12:16] == b"VP8X" and len(data) >= 30:
        return _read_extended(data, limits)
    return ImageHeader(ImageType.WEBP, *_stored_size(data))


def canvas_size(data: bytes) -> tuple[int, int]:
    """Read the declared width and height, unchecked; raise ImageError if there are none."""
    is_extended = data[12:16] == b"VP8X" and len(data) >= 30
    return _size(data[24:30]) if is_extended else _stored_size(data)


def _stored_size(data: bytes, at: int = 12) -> tuple[int, int]:
    """Read width and height from the pixel chunk at offset ``at``."""
    kind = data[at : at + 4]
    if kind == b"VP8 " and len(data) >= at + 18:
        width, height = struct.unpack_from("<HH", data, at + 14)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L" and len(data) >= at + 13:
        packed = int.from_bytes(data[at + 9 : at + 13], "little")
        return (packed & 0x3FFF) + 1, (packed >> 14 & 0x3FFF) + 1
    if len(data) < at + 18:
        raise cut_short("WEBP")
    raise ImageError("The WEBP is damaged: it starts with no picture")


def first_frame(data: bytes) -> FirstFrame:
    """Find the picture or an animation's first frame; raise ImageError if it is incomplete."""
    if data[12:16] != b"VP8X":
        size = _stored_size(data)
        return FirstFrame(size, (0, 0), size, _still(_copies(data, _pixels(data, 12))))
    flags, canvas = data[20], _size(data[24:30])
    at, place, size = 12, (0, 0), canvas
    if flags & ANIMATION_FLAG:
        at = next((body_at for name, body_at, _ in _chunks(data) if name == b"ANMF"), len(data))
        left, top = (int.from_bytes(data[at + n : at + n + 3], "little") for n in (0, 3))
        place, size = (2 * left, 2 * top), _frame_size(data, at)
        at += ANIMATION_FRAME_BYTES
    head = struct.pack("<4sI4B", b"VP8X", 10, flags & ALPHA_FLAG, 0, 0, 0)
    head += b"".join((side - 1).to_bytes(3, "little") for side in size)
    return FirstFrame(canvas, place, size, _still([head, *_copies(data, _pixels(data, at))]))


def _frame_size(data: bytes, body_at: int) -> tuple[int, int]:
    """Read the size of an animation's frame from its pixels; decoders ignore its header."""
    *_, (at, _) = _pixels(data, body_at + ANIMATION_FRAME_BYTES)
    return _stored_size(data, at - CHUNK_HEAD_BYTES)


def _pixels(data: bytes, start: int) -> list[tuple[int, int]]:
    """Find the first pixel chunk after ``start`` and the alpha chunk before it.

    Returns:
        Offset and length of the body of the alpha chunk, if present, and of the pixel chunk.
    """
    alpha: list[tuple[int, int]] = []
    for name, at, length in _chunks(data, start):
        if name == b"ALPH" and not alpha:
            alpha = [(at, length)]
        elif name in (b"VP8 ", b"VP8L"):
            return [*(alpha if name == b"VP8 " else []), (at, length)]
    raise ImageError("The WEBP is damaged or cut short: its first frame is not whole")


def _copies(data: bytes, places: list[tuple[int, int]]) -> list[bytes]:
    return [
        data[at - CHUNK_HEAD_BYTES : at + length] + b"\0" * (length & 1) for at, length in places
    ]


def _still(chunks: list[bytes]) -> bytes:
    body = b"WEBP" + b"".join(chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _read_extended(data: bytes, limits: Limits) -> ImageHeader:
    flags, canvas = data[20], _size(data[24:30])
    check_size(*canvas, limits)
    frames, metadata, profile = 0, Metadata(), None
    view = memoryview(data)
    for number, (name, at, length) in enumerate(_chunks(data)):
        body = view[at : at + length]
        if number >= MAX_CHUNKS:
            raise ImageError(f"The WEBP has more chunks than the limit of {MAX_CHUNKS:,}")
        if name == b"ANMF":
            frames += 1
            refuse_above(limits.max_frames, frames, "frames", "max_frames")
            if frames == 1 and flags & ANIMATION_FLAG:
                check_size(*_frame_size(data, at), limits)
                check_canvas(canvas, _frame_size(data, at))
        elif name == b"EXIF" and flags & EXIF_FLAG:
            metadata.take_exif(body)
        elif name == b"XMP ":
            refuse_above(MAX_METADATA_BYTES, len(body), "bytes of XMP")
            metadata.take_xmp(body)
        elif name == b"ICCP" and flags & ICC_FLAG and profile is None:
            refuse_above(MAX_METADATA_BYTES, len(body), "bytes of colour profile")
            profile = bytes(body)
    if not flags & ANIMATION_FLAG:
        frames = 1
    return ImageHeader(
        ImageType.WEBP,
        *canvas,
        max(1, frames),
        metadata.orientation,
        profile,
        density=metadata.density,
    )


def _size(packed: bytes | memoryview) -> tuple[int, int]:
    """Read width and height, 24 bits each, stored minus 1."""
    width, height = (int.from_bytes(packed[at : at + 3], "little") + 1 for at in (0, 3))
    return width, height


def _chunks(data: bytes, start: int = 12) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, offset and length of the body of each chunk that is complete in ``data``."""
    at = start
    while at + 8 <= len(data):
        name, length = struct.unpack_from("<4sI", data, at)
        if at + 8 + length > len(data):
            return
        yield name, at + 8, length
        at += 8 + length + (length & 1)
