"""Unpack a BMP.

The libraries do not read every BMP correctly. OpenCV rejects some 16-bit bit fields and reads all
32-bit pixels as BGRA, regardless of the masks. Pillow supports only a few sets of masks.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ImageU8
from bgremove.errors import ImageError
from bgremove.imaging.probe import bmp
from bgremove.imaging.probe.bmp import BmpHeader

BAND_PIXELS = 1_000_000  # unpacked at a time, so that the 32-bit intermediates stay at a few MB
END_OF_ROW, END_OF_PICTURE, MOVE = 0, 1, 2  # codes after a count of 0; larger ones count pixels
# Limit of moves, and of runs beyond the end of their row. Pictures have no more. 10 MB of these
# codes took 2.4 s at any size of the picture.
MOST_IDLE, IDLE_SHARE = 100_000, 1 / 8  # codes without a pixel, in all and for each pixel
# Run-length encoding: lookup tables from a byte of the file to its pixels.
BYTES = [bytes([value]) for value in range(256)]
NIBBLES = [bytes([value >> 4, value & 15]) for value in range(256)]


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
        return _coloured(_run_lengths(data, header), data, header)
    rows = _rows(data, header)
    if any(header.masks):
        pixels = _unpack_bit_fields(rows, header)
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


def _run_lengths(data: bytes, header: BmpHeader) -> ImageU8:
    """Return the palette indices, uint8 (H, W), top row first.

    A run beyond the end of its row is cut off there. Skipped pixels have index 0.

    Raises:
        ImageError: The data ends before the last row, or consists of codes without pixels.
    """
    width, height = header.width, header.height
    pixels = bytearray(width * height)
    spread = NIBBLES if header.compression == bmp.RLE4 else BYTES
    at, column, row, end = header.pixels_at, 0, 0, len(data) - 1
    idle_left = max(MOST_IDLE, int(IDLE_SHARE * width * height))
    has_end = False
    while row < height and at < end and idle_left:
        count, code = data[at], data[at + 1]
        at += 2
        if count:
            run = spread[code] * (-(-count // len(spread[code])))
        elif code == END_OF_ROW:
            column, row = 0, row + 1
            continue
        elif code == END_OF_PICTURE:
            has_end = True
            break
        elif code == MOVE:
            column, row = column + data[at], row + data[min(at + 1, end)]
            at += 2
            idle_left -= 1
            continue
        else:
            length = -(-code // len(spread[0]))
            run = b"".join([spread[packed] for packed in data[at : at + length]])
            count = min(code, len(run))
            at += length + (length & 1)
        if count > width - column:
            count = max(0, width - column)
            idle_left -= not count
        start = row * width + column
        pixels[start : start + count] = run[:count]
        column += count
    if not idle_left:
        raise ImageError("The BMP is damaged: too many of its codes give no pixel")
    last_columns = 1 if has_end else width
    if row < height - 1 or (row == height - 1 and column < last_columns):
        raise ImageError(f"The BMP is cut short: it has {row:,} of its {height:,} rows")
    rows = np.frombuffer(pixels, np.uint8).reshape(height, width)
    return rows if header.top_down else rows[::-1]


def _unpack_bit_fields(rows: ImageU8, header: BmpHeader) -> ImageU8:
    """Return the channels described by the header's masks, scaled to 8 bits.

    Args:
        rows: Packed rows, uint8 (H, bytes of a row), top row first.
        header: The header of the BMP, with 16 or 32 bits per pixel.

    Returns:
        uint8 (H, W, 3) in BGR, or (H, W, 4) in BGRA if the header has an alpha mask.
    """
    word = np.dtype("<u2" if header.bits == 16 else "<u4")
    red, green, blue, alpha = header.masks
    masks = (blue, green, red, alpha) if alpha else (blue, green, red)
    pixels = np.empty((header.height, header.width, len(masks)), np.uint8)
    band = max(1, BAND_PIXELS // header.width)
    for top in range(0, header.height, band):
        packed = np.ascontiguousarray(rows[top : top + band]).view(word).astype(np.uint32)
        for channel, mask in enumerate(masks):
            pixels[top : top + band, :, channel] = _scaled(packed, mask)
    return pixels


def _scaled(packed: NDArray[np.uint32], mask: int) -> NDArray[np.uint8]:
    """Extract the bits of ``mask`` and scale them to 0 to 255; an empty mask gives 0."""
    if not mask:
        return np.zeros(packed.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    field = ((packed & np.uint32(mask)) >> np.uint32(shift)).astype(np.float32)
    stretched: NDArray[np.uint8] = np.rint(field * np.float32(255 / top)).astype(np.uint8)
    return stretched


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
