"""Unpack a BMP.

The libraries do not read every BMP correctly. OpenCV rejects some 16-bit bit fields and reads all
32-bit pixels as BGRA, regardless of the masks. Pillow supports only a few sets of masks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bgremove.errors import ImageError
from bgremove.imaging import bitfields, rle
from bgremove.imaging.probe import bmp

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ImageU8
    from bgremove.imaging.probe.bmp import BmpHeader


def read(data: bytes) -> ImageU8:
    """Return the pixels, top row first.

    Returns:
        uint8 (H, W, 3) in BGR, or (H, W, 4) in BGRA if any pixel has a nonzero alpha. Programs
        without support for alpha write zeros.

    Raises:
        ImageError: The data ends before the last row.
    """
    header = bmp.parse(data)
    if header.compression in (bmp.RLE8, bmp.RLE4):
        return _coloured(rle.unpack(data, header), data, header)
    rows = _rows(data, header)
    if any(header.masks):
        pixels = bitfields.unpack(rows, header)
        return pixels if pixels.shape[2] == 3 or pixels[:, :, 3].any() else pixels[:, :, :3]
    if header.bits <= 8:
        return _coloured(_indices(rows, header), data, header)
    samples = rows.reshape(header.height, header.width, header.bits // 8)
    return np.ascontiguousarray(samples[:, :, :3])


def _rows(data: bytes, header: BmpHeader) -> ImageU8:
    """Return the packed rows, uint8 (H, bytes of a row), top row first, as a view."""
    needed = header.pixels_at + header.stride * (header.height - 1) + header.row_bytes
    if needed > len(data):
        raise ImageError(
            f"The BMP is cut short: it has {len(data):,} bytes, and {needed:,} with all its rows"
        )
    shape, strides = (header.height, header.row_bytes), (header.stride, 1)
    rows: ImageU8 = np.ndarray(shape, np.uint8, data, header.pixels_at, strides)
    return rows if header.top_down else rows[::-1]


def _indices(rows: ImageU8, header: BmpHeader) -> ImageU8:
    """Unpack rows to one byte per pixel, uint8 (H, W)."""
    per_byte = 8 // header.bits
    if per_byte == 1:
        return rows
    spread = np.empty((*rows.shape, per_byte), np.uint8)
    for place in range(per_byte):
        shift = 8 - header.bits * (place + 1)
        spread[:, :, place] = rows >> shift & (1 << header.bits) - 1
    return spread.reshape(header.height, -1)[:, : header.width]


def _coloured(indices: ImageU8, data: bytes, header: BmpHeader) -> ImageU8:
    """Look up indices in the palette; indices beyond its end are black."""
    palette: NDArray[np.uint8] = np.zeros((256, 3), np.uint8)
    end = header.palette_at + header.colours * header.colour_bytes
    packed = data[header.palette_at : end]
    whole = len(packed) // header.colour_bytes
    entries = np.frombuffer(packed, np.uint8, whole * header.colour_bytes)
    palette[:whole] = entries.reshape(whole, header.colour_bytes)[:, :3]
    return palette[indices]
