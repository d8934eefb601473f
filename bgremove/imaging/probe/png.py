"""Read the headers of a PNG: size, depth, frames, orientation, and the content of its chunks."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.errors import ImageError
from bgremove.imaging.probe import png_text
from bgremove.imaging.probe.limits import (
    MAX_BYTES_PER_PIXEL,
    MAX_METADATA_BYTES,
    Limits,
    check_size,
    cut_short,
    refuse_above,
)
from bgremove.imaging.probe.metadata import METRE, Metadata, density

GRAY, RGB, PALETTE = 0, 2, 3
SAMPLES = {GRAY: 1, RGB: 3, PALETTE: 1, 4: 2, 6: 4}  # colour type to samples a pixel

MAX_CHUNKS = 100_000  # a 10 MB file cut into chunks of 100 bytes; a walk over them takes 50 ms

PACKED_SLACK_BYTES = 64 * 1024  # of packed pixels, for small pictures


@dataclass(frozen=True, slots=True)
class Chunk:
    """A chunk: its name, the offset of its body, and the bytes of the body in the file."""

    name: bytes
    at: int
    length: int
    is_whole: bool = True

    def body(self, data: bytes) -> bytes:
        """Return the chunk's body from the whole file."""
        return data[self.at : self.at + self.length]

    def view(self, data: bytes) -> memoryview:
        """Return the chunk's body from the whole file, without a copy."""
        return memoryview(data)[self.at : self.at + self.length]


def chunks(data: bytes) -> Iterator[Chunk]:
    """Yield the chunks up to IEND or the first incomplete one.

    An incomplete chunk is skipped unless it holds pixels, because all rows may be in it.
    """
    at = 8
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if at + 12 + length > len(data):
            if name == b"IDAT":
                yield Chunk(name, at + 8, min(length, len(data) - at - 8), is_whole=False)
            return
        yield Chunk(name, at + 8, length)
        if name == b"IEND":
            return
        at += 12 + length


def read(data: bytes, limits: Limits) -> ImageHeader:
    """Walk the chunks once; every decompression is bounded."""
    if len(data) < 33:
        raise cut_short("PNG")
    if data[12:16] == b"CgBI":
        raise ImageError("The PNG is in Apple's CgBI form, which only apps read; export it anew")
    if data[12:16] != b"IHDR":
        raise ImageError("The PNG is damaged: it does not start with its header")
    reader = _Reader(data, limits)
    for number, chunk in enumerate(chunks(data)):
        if number >= MAX_CHUNKS:
            raise ImageError(f"The PNG has more chunks than the limit of {MAX_CHUNKS:,}")
        reader.take(chunk)
    return reader.header()


class _Reader:
    """State of the walk over the chunks."""

    def __init__(self, data: bytes, limits: Limits) -> None:
        self._data = data
        self._limits = limits
        self._width, self._height, self._depth, self._kind = struct.unpack_from(">IIBB", data, 16)
        check_size(self._width, self._height, limits)
        self._frames = 1
        self._has_trns = False
        self._packed_bytes = 0
        self._texts = 0
        self._text_budget = png_text.MAX_TEXT_BYTES
        self._metadata = Metadata()
        self._profile: bytes | None = None

    def take(self, chunk: Chunk) -> None:
        if chunk.name == b"IDAT":
            self._packed_bytes += chunk.length
        elif chunk.name in png_text.CHUNKS:
            self._take_text(chunk)
        elif chunk.name == b"eXIf":
            self._metadata.take_exif(chunk.view(self._data))
        elif chunk.name == b"pHYs" and chunk.length == 9:
            across, down, unit = struct.unpack_from(">IIB", self._data, chunk.at)
            self._metadata.take_density(density(across, down, METRE if unit == 1 else None))
        elif chunk.name == b"iCCP" and self._profile is None:
            _, packed = png_text.split_keyword(chunk.view(self._data))
            self._profile = png_text.inflated(packed[1:], MAX_METADATA_BYTES)
            refuse_above(MAX_METADATA_BYTES, len(self._profile), "bytes of colour profile")
        elif chunk.name == b"tRNS":
            self._has_trns = True
        elif chunk.name == b"acTL" and chunk.length >= 4 and not self._packed_bytes:
            self._frames = struct.unpack_from(">I", self._data, chunk.at)[0]
            refuse_above(self._limits.max_frames, self._frames, "frames", "max_frames")

    def _take_text(self, chunk: Chunk) -> None:
        self._texts += 1
        refuse_above(
            self._limits.max_text_chunks, self._texts, "PNG text chunks", "max_text_chunks"
        )
        keyword, text = png_text.unpacked(chunk.name, chunk.view(self._data), self._text_budget)
        self._text_budget -= len(keyword) + len(text)
        if self._text_budget < 0:
            raise ImageError(
                f"The PNG's text has more than the limit of {png_text.MAX_TEXT_BYTES:,} bytes"
            )
        if keyword == png_text.XMP:
            self._metadata.take_xmp(text)
        elif keyword in png_text.RAW_EXIF and self._metadata.exif_orientation is None:
            self._metadata.exif_orientation = png_text.orientation_in(text)

    def header(self) -> ImageHeader:
        self._check_packed()
        self._check_memory()
        return ImageHeader(
            ImageType.PNG,
            self._width,
            self._height,
            max(1, self._frames),
            self._metadata.orientation,
            self._profile,
            density=self._metadata.density,
        )

    def _check_packed(self) -> None:
        bits = SAMPLES.get(self._kind, 4) * self._depth
        unpacked = self._height * (1 + (self._width * bits + 7) // 8)
        allowed = int(png_text.MAX_PACKED_RATIO * unpacked) + PACKED_SLACK_BYTES
        refuse_above(allowed, self._packed_bytes, "bytes of packed pixels")

    def _check_memory(self) -> None:
        """Reject a picture that is both large and deep.

        OpenCV unpacks to 1, 3 or 4 samples and holds the picture twice.
        """
        if self._kind == GRAY:
            samples = 1
        else:
            samples = 3 if self._kind in (RGB, PALETTE) and not self._has_trns else 4
        size = 2 * samples * (2 if self._depth == 16 else 1) * self._width * self._height
        allowed = MAX_BYTES_PER_PIXEL * self._limits.max_pixels
        refuse_above(allowed, size, "bytes to decode at its depth")


def still(data: bytes) -> bytes:
    """Return a PNG with only the still picture: header, colours, transparency and pixels.

    All other chunks, broken or not, do not affect the pixels and do not reach the decoder.
    """
    needed = {b"PLTE", b"tRNS"} if data[25] == PALETTE else {b"tRNS"}
    head, pixels = [data[:33]], []  # the signature and IHDR
    is_cut = False
    for chunk in chunks(data):
        if chunk.name == b"IDAT":
            pixels.append(chunk)
            is_cut = not chunk.is_whole
        elif chunk.name in needed:
            needed.discard(chunk.name)
            head.append(data[chunk.at - 8 : chunk.at + chunk.length + 4])
    if is_cut:
        packed = _completed(b"".join(chunk.body(data) for chunk in pixels), _most_bytes(data))
        body = [_chunk(b"IDAT", packed)]
    else:
        body = [data[chunk.at - 8 : chunk.at + chunk.length + 4] for chunk in pixels]
    return b"".join([*head, *body, _chunk(b"IEND", b"")])


def _completed(packed: bytes, most: int) -> bytes:
    """Add an end to a truncated compressed stream.

    libpng requires the end even when all rows precede it. It reports an error if a row is missing.
    """
    try:
        rows = zlib.decompressobj().decompress(packed, most)
    except zlib.error:
        rows = b""
    return zlib.compress(rows, 1)


def _most_bytes(data: bytes) -> int:
    """Return an upper bound on the bytes of the unpacked rows; interlacing adds a few."""
    width, height, depth, kind = struct.unpack_from(">IIBB", data, 16)
    row: int = 1 + (width * SAMPLES.get(kind, 4) * depth + 7) // 8
    return 2 * int(height) * row + 64


def _chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def transparent_gray(data: bytes) -> tuple[int, int] | None:
    """Return the transparent and the maximum value of a gray PNG; None if none is transparent."""
    depth, kind = data[24], data[25]
    if kind != GRAY:
        return None
    for chunk in chunks(data):
        if chunk.name == b"IDAT":
            return None
        if chunk.name == b"tRNS" and chunk.length == 2:
            largest = (1 << depth) - 1
            return int.from_bytes(chunk.body(data), "big") & largest, largest
    return None
