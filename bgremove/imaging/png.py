"""Parallel PNG encoder: strips of rows are filtered and deflated on all cores.

Each strip ends on a byte boundary (a full flush keeps strips independent), so the joined strips are
one valid zlib stream. ISA-L deflates several times faster than zlib. Rows use the Up filter, except
the first of a strip: Sub gave larger cut-outs, and Paeth is expensive to compute. Source: PNG
(third edition), ISO/IEC 15948; RFC 1950 for the checksum, which is combined from the checksums of
the strips.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass

import cv2
import numpy as np
from isal import isal_zlib

from bgremove.datatypes import ImageU8

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels to colour type: gray, with alpha, RGB, RGBA
TO_RGB = {3: cv2.COLOR_BGR2RGB, 4: cv2.COLOR_BGRA2RGBA}
STRIP_BYTES = 1 << 20  # large enough to compress well, small enough to divide among cores
DEFLATE_LEVEL = 1  # ISA-L has 0 to 3; 2 and 3 are slower and no smaller on photographs
ZLIB_HEADER = b"\x78\x01"
ADLER_MODULUS = 65521


@dataclass(frozen=True, slots=True)
class Canvas:
    """A picture composed strip by strip.

    ``rows`` is called with the first row and the row after the last, from several threads at once.
    It returns uint8: (rows, width) gray, (rows, width, 2) gray and straight alpha,
    (rows, width, 3) BGR or (rows, width, 4) straight BGRA.
    """

    width: int
    height: int
    channels: int
    rows: Callable[[int, int], ImageU8]


def encode_png(
    canvas: Canvas,
    executor: Executor,
    icc_profile: bytes | None = None,
    density: tuple[int, int] | None = None,
) -> bytes:
    """Encode a canvas as PNG with 8 bits per channel.

    Args:
        canvas: The picture to encode.
        executor: Threads that encode the strips.
        icc_profile: Written in an iCCP chunk.
        density: Pixels per metre across and down, written in a pHYs chunk.

    Returns:
        The bytes of the file.

    """
    rows = max(1, STRIP_BYTES // (canvas.width * canvas.channels))
    tops = range(0, canvas.height, rows)
    strips = list(executor.map(lambda top: _strip(canvas, top, top + rows), tops))
    checksum = 1
    for _, adler, length in strips:
        checksum = _adler32_combine(checksum, adler, length)
    size = canvas.width, canvas.height
    header = struct.pack(">IIBBBBB", *size, 8, COLOUR_TYPES[canvas.channels], 0, 0, 0)
    chunks = [SIGNATURE, *_chunk(b"IHDR", header)]
    if icc_profile is not None:
        chunks += _chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(icc_profile))
    if density is not None:
        chunks += _chunk(b"pHYs", struct.pack(">IIB", *density, 1))
    deflated = [ZLIB_HEADER, *(data for data, _, _ in strips), struct.pack(">I", checksum)]
    chunks += _chunk(b"IDAT", *deflated)
    chunks += _chunk(b"IEND")
    return b"".join(chunks)


def _strip(canvas: Canvas, top: int, end: int) -> tuple[bytes, int, int]:
    """Filter and deflate rows; return the bytes, and the Adler-32 and length of the input."""
    end = min(canvas.height, end)
    pixels = canvas.rows(top, end)
    if canvas.channels in TO_RGB:
        pixels = np.asarray(cv2.cvtColor(pixels, TO_RGB[canvas.channels]), dtype=np.uint8)
    flat = pixels.reshape(end - top, canvas.width * canvas.channels)
    filtered: ImageU8 = np.empty((end - top, flat.shape[1] + 1), np.uint8)
    # The first row is not filtered: the row above it, composed again for this strip, may differ.
    filtered[0, 0], filtered[0, 1:] = 0, flat[0]
    filtered[1:, 0] = 2  # Up
    np.subtract(flat[1:], flat[:-1], out=filtered[1:, 1:])
    compressor = isal_zlib.compressobj(DEFLATE_LEVEL, wbits=-15)
    data = compressor.compress(filtered)
    last = end == canvas.height
    data += compressor.flush(isal_zlib.Z_FINISH if last else isal_zlib.Z_FULL_FLUSH)
    return data, zlib.adler32(filtered.data), filtered.size


def _adler32_combine(first: int, second: int, length: int) -> int:
    """Return the Adler-32 of two joined strings from their checksums and the second's length."""
    low = (first & 0xFFFF) + (second & 0xFFFF) - 1
    high = (first >> 16) + (second >> 16) + length * ((first & 0xFFFF) - 1)
    return (high % ADLER_MODULUS) << 16 | low % ADLER_MODULUS


def _chunk(kind: bytes, *parts: bytes) -> list[bytes]:
    checksum = zlib.crc32(kind)
    for part in parts:
        checksum = zlib.crc32(part, checksum)
    length = sum(len(part) for part in parts)
    return [struct.pack(">I", length), kind, *parts, struct.pack(">I", checksum)]
