"""Walk the marker segments of a JPEG."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bgremove.errors import ImageError

MARKER = re.compile(rb"\xff[^\x00\x01\xd0-\xd7\xff]")  # not stuffing, TEM, a restart or fill
# SOF0 to SOF15, without DHT (C4), JPG (C8) and DAC (CC), which lie between them.
FRAME_HEADERS = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
ARITHMETIC_FRAMES = frozenset({0xC9, 0xCA})
HIERARCHICAL_FRAMES = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF})
JPEG_LS_FRAME = 0xF7
PROGRESSIVE_FRAMES = frozenset({0xC2, 0xCA})
START_OF_IMAGE, END_OF_IMAGE, START_OF_SCAN = 0xD8, 0xD9, 0xDA
APP0, APP1, APP2 = 0xE0, 0xE1, 0xE2

MAX_SEGMENTS = 10_000  # photographs have under 300; a walk over all takes 10 ms


def segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the body of each segment, up to the end of the image.

    The end marker is the last segment, if present. The walk stops at a segment that extends beyond
    ``data``. Raises ImageError if the number of segments exceeds the limit.
    """
    at = 2
    for _ in range(MAX_SEGMENTS):
        match = MARKER.search(data, at)
        if match is None:
            return
        marker, at = match[0][1], match.end()
        if marker == END_OF_IMAGE:
            yield marker, b""
            return
        if marker == START_OF_IMAGE:
            continue
        # libjpeg treats a length below 2 as 2.
        end = at + max(2, int.from_bytes(data[at : at + 2], "big"))
        if end > len(data):
            return
        yield marker, data[at + 2 : end]
        at = end
    raise ImageError(f"The JPEG has more segments than the limit of {MAX_SEGMENTS:,}")
