"""What a GIF declares: canvas, frames, and how dear its first frame is to unpack."""

from __future__ import annotations

import struct

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.errors import ImageError
from bgremove.imaging.probe.limits import (
    Limits,
    check_canvas,
    check_size,
    cut_short,
    refuse_above,
)
from bgremove.imaging.probe.lzw import count_clears

TRAILER, EXTENSION, FRAME = 0x3B, 0x21, 0x2C
MAX_BLOCKS = 400_000  # data blocks; 10 MB in full ones of 255 bytes are 41,000. A walk takes 40 ms

# Codes that clear the table, in the first frame. OpenCV 5 rebuilds its 4,096 entries each time, in
# 11 to 20 us. Encoders clear when the table is full, some after 254 codes: 25,000 times in 7 MB.
MAX_CLEARS = 30_000


def read(data: bytes, limits: Limits) -> ImageHeader:
    """Walk the blocks of the file, counting frames."""
    if len(data) < 13:
        raise cut_short("GIF")
    width, height, flags = struct.unpack_from("<HHB", data, 6)
    check_size(width, height, limits)
    at = 13 + _table_bytes(flags)
    frames, budget = 0, MAX_BLOCKS
    while at < len(data) and data[at] != TRAILER:
        if data[at] == EXTENSION:
            at += 2
        elif data[at] == FRAME and at + 10 <= len(data):
            frames += 1
            refuse_above(limits.max_frames, frames, "frames")
            if frames == 1:
                check_canvas((width, height), struct.unpack_from("<HH", data, at + 5))
            at += 10 + _table_bytes(data[at + 9])
            if frames == 1:
                _check_clears(data, at)
            at += 1
        else:
            raise ImageError("The GIF is damaged: a block is neither a frame nor an extension")
        ends = _block_ends(data, at, budget)
        budget -= len(ends)
        at = (ends[-1] if ends else at) + 1
    if not frames:
        raise ImageError("The GIF is damaged: it has no frame")
    return ImageHeader(ImageType.GIF, width, height, frames)


def _table_bytes(flags: int) -> int:
    """Return the size of a colour table, which starts behind the flags that tell it."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0


def _block_ends(data: bytes, at: int, budget: int) -> list[int]:
    """Return where each of the data blocks from ``at`` on ends, up to the empty one."""
    ends = []
    end = len(data)
    while at < end and data[at]:
        at += data[at] + 1
        ends.append(at)
        if len(ends) > budget:
            raise ImageError(f"The GIF has more data blocks than the limit of {MAX_BLOCKS:,}")
    return ends


def _check_clears(data: bytes, at: int) -> None:
    """Refuse a frame, its data from ``at`` on, that clears its table too often."""
    if at >= len(data):
        raise cut_short("GIF")
    ends = _block_ends(data, at + 1, MAX_BLOCKS)
    starts = [at + 1, *ends[:-1]]
    packed = b"".join(data[start + 1 : end] for start, end in zip(starts, ends, strict=False))
    clears = count_clears(packed, data[at], MAX_CLEARS)
    if clears > MAX_CLEARS:
        raise ImageError(
            f"The GIF clears its code table more often than the limit of {MAX_CLEARS:,}"
        )
