"""Read the header of a GIF and find its first frame.

Only the first frame is used. Later frames are counted as far as they are readable; damage there is
ignored.
"""

from __future__ import annotations

import re
import struct

from bgremove.datatypes import FirstFrame, ImageHeader, ImageType
from bgremove.errors import ImageError
from bgremove.imaging.probe.limits import (
    Limits,
    check_canvas,
    check_size,
    cut_short,
    refuse_above,
)

TRAILER, FRAME = 0x3B, 0x2C
GRAPHIC_CONTROL = 0xF9
INTRODUCER = re.compile(rb"[\x21\x2c\x3b]")  # of an extension, a frame, the trailer
HEADER_BYTES, FRAME_BYTES = 13, 10
MAX_BLOCKS = 400_000  # data blocks; 10 MB of full 255-byte blocks are 41,000. A walk takes 40 ms


def read(data: bytes, limits: Limits) -> ImageHeader:
    """Read the canvas and count the frames."""
    walk = _Walk(data)
    first = walk.first_frame()
    check_size(*first.canvas, limits)
    check_size(*first.size, limits)
    check_canvas(first.canvas, first.size)
    frames = 1
    while walk.skip_frame():
        frames += 1
        refuse_above(limits.max_frames, frames, "frames", "max_frames")
    return ImageHeader(ImageType.GIF, *first.canvas, frames)


def first_frame(data: bytes) -> FirstFrame:
    """Find the first frame; raise ImageError if there is none."""
    return _Walk(data).first_frame()


class _Walk:
    """A walk over the blocks of a GIF; ``_at`` is the offset of the next block."""

    def __init__(self, data: bytes) -> None:
        if len(data) < HEADER_BYTES:
            raise cut_short("GIF")
        self._data = data
        self._at = HEADER_BYTES + _table_bytes(data[10])
        self._blocks_left = MAX_BLOCKS
        self._control = b""  # the body of the last graphic control extension

    def first_frame(self) -> FirstFrame:
        if not self._find_frame():
            raise ImageError("The GIF is damaged: it has no frame")
        data, at = self._data, self._at
        left, top, width, height, flags = struct.unpack_from("<HHHHB", data, at + 1)
        pixels_at = at + FRAME_BYTES + _table_bytes(flags)
        if pixels_at + 1 >= len(data):
            raise ImageError("The GIF is damaged or cut short: its first frame has no pixels")
        canvas = struct.unpack_from("<HH", data, 6)
        if 0 in canvas:  # browsers then use the frame's size
            canvas = (left + width, top + height)
        self._at = pixels_at + 1
        still = b"".join(
            [
                b"GIF89a" + struct.pack("<HH", width, height) + data[10:13],
                data[HEADER_BYTES : HEADER_BYTES + _table_bytes(data[10])],
                b"\x21\xf9\4" + self._control[:4] + b"\0" if len(self._control) >= 4 else b"",
                struct.pack("<BHHHHB", FRAME, 0, 0, width, height, flags),
                data[at + FRAME_BYTES : pixels_at + 1],
                self._take_blocks(),
                b"\0",
            ]
        )
        return FirstFrame(canvas, (left, top), (width, height), still)

    def skip_frame(self) -> bool:
        """Skip a frame; return False at the end or at damage."""
        if not self._find_frame(searching=False):
            return False
        flags = self._data[self._at + FRAME_BYTES - 1]
        self._at += FRAME_BYTES + _table_bytes(flags) + 1
        self._take_blocks()
        return self._at <= len(self._data)

    def _find_frame(self, *, searching: bool = True) -> bool:
        """Skip extensions up to the next frame, and stray bytes too if ``searching``."""
        while found := INTRODUCER.search(self._data, self._at):
            if found.start() != self._at and not searching:
                return False
            self._at = found.start()
            introducer = self._data[self._at]
            if introducer == FRAME:
                return self._at + FRAME_BYTES <= len(self._data)
            if introducer == TRAILER:
                return False
            label = self._data[self._at + 1 : self._at + 2]
            self._at += 2
            body = self._take_blocks()
            if label == bytes([GRAPHIC_CONTROL]) and body:
                self._control = body[1 : 1 + body[0]]
        return False

    def _take_blocks(self) -> bytes:
        """Return the data blocks up to the empty one, each with its length byte.

        The last block is incomplete if the file ends within it.
        """
        data, start, end = self._data, self._at, len(self._data)
        at = last = start
        while at < end and data[at]:
            self._blocks_left -= 1
            if self._blocks_left < 0:
                break
            last, at = at, at + data[at] + 1
        self._blocks_left -= 1  # counts the empty block too, for empty extensions
        self._at = at + 1
        if self._blocks_left < 0:
            raise ImageError(f"The GIF has more data blocks than the limit of {MAX_BLOCKS:,}")
        if at > end > last:
            return data[start:last] + bytes([end - last - 1]) + data[last + 1 :]
        return data[start:at]


def _table_bytes(flags: int) -> int:
    """Return the bytes of the colour table declared by ``flags``."""
    return 3 * (2 << (flags & 7)) if flags & 0x80 else 0
