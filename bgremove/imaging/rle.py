"""Decode the run-length encoding of 4-bit and 8-bit BMPs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from bgremove.errors import ImageError
from bgremove.imaging.probe.bmp import RLE4

if TYPE_CHECKING:
    from bgremove.datatypes import ImageU8
    from bgremove.imaging.probe.bmp import BmpHeader

END_OF_ROW, END_OF_PICTURE, MOVE = 0, 1, 2  # codes after a count of 0; larger ones count pixels


def unpack(data: bytes, header: BmpHeader) -> ImageU8:
    """Return the palette indices, uint8 (H, W), top row first.

    A run beyond the end of its row is cut off there. Skipped pixels have index 0.

    Raises:
        ImageError: The data ends before the last row.
    """
    width, height = header.width, header.height
    pixels = bytearray(width * height)
    spread = _NIBBLES if header.compression == RLE4 else _BYTES
    at, column, row, end = header.pixels_at, 0, 0, len(data) - 1
    has_end = False
    while row < height and at < end:
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
            continue
        else:
            length = -(-code // len(spread[0]))
            run = b"".join([spread[packed] for packed in data[at : at + length]])
            count = min(code, len(run))
            at += length + (length & 1)
        if count > width - column:
            count = max(0, width - column)
        start = row * width + column
        pixels[start : start + count] = run[:count]
        column += count
    last_columns = 1 if has_end else width
    if row < height - 1 or (row == height - 1 and column < last_columns):
        raise ImageError(f"The BMP is cut short: it has {row:,} of its {height:,} rows")
    rows = np.frombuffer(pixels, np.uint8).reshape(height, width)
    return rows if header.top_down else rows[::-1]


# Lookup table from a byte of the file to its pixels.
_BYTES = [bytes([value]) for value in range(256)]
_NIBBLES = [bytes([value >> 4, value & 15]) for value in range(256)]
