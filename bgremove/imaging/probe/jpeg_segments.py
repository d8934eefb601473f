"""Walk the segments of a JPEG, and check that one without its end marker has all its scans."""

from __future__ import annotations

import re
import sys
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

END = bytes([0xFF, END_OF_IMAGE])
COEFFICIENTS = 64  # of a block
# Bits appended to the data: they begin with 0, 10, 110, 1110 and ones. If a row is missing from the
# data, the decoded pictures differ, because the fillers decode to different codes. Each is longer
# than the largest unit of 10 blocks, since the edge of a picture shows only a part of a unit.
FILLERS = tuple(bytes([bits]) * 4096 for bits in (0x00, 0xAA, 0xCC, 0xE1, 0xFE))
MOST_ZEROS = 2  # at the end that count as data; more zeros are padding of the file
SCAN, FIRST_RESTART, RESTARTS = bytes([0xFF, START_OF_SCAN]), 0xD0, 8


def segments(data: bytes, most_between: int = sys.maxsize) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the body of each segment, up to the end of the image.

    The end marker is the last segment, if present. The walk stops at a segment that extends beyond
    ``data``, and after ``most_between`` bytes without a marker. Raises ImageError if the number of
    segments exceeds the limit.
    """
    at = 2
    for _ in range(MAX_SEGMENTS):
        match = MARKER.search(data, at, min(len(data), at + most_between))
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


def has_end(data: bytes) -> bool:
    """Return whether the picture has its own end marker, apart from a thumbnail's."""
    return data.endswith(END) or any(marker == END_OF_IMAGE for marker, _ in segments(data))


def endings(data: bytes) -> list[bytes]:
    """Complete a JPEG in several ways; the results decode alike only if every row is present.

    Args:
        data: A JPEG without its end marker. Zeros and a half marker at its end are not data.

    Returns:
        The completed files; an empty list if a whole scan is missing.
    """
    if not _has_all_scans(data):
        return []
    coded = data.rstrip(b"\0")
    zeros = len(data) - len(coded)
    if zeros > MOST_ZEROS:
        zeros = int(coded.endswith(b"\xff"))  # in the data, a zero follows each byte of 255
    coded = coded + bytes(zeros) if zeros else coded.rstrip(b"\xff")
    restart = _next_restart(coded)  # rows may be missing from exactly this point
    return [coded + filler + restart + filler + END for filler in FILLERS]


def _next_restart(coded: bytes) -> bytes:
    """Return the next restart marker expected in the last scan."""
    scan_at = coded.rfind(SCAN)
    found = ((coded.rfind(bytes([0xFF, FIRST_RESTART + n])), n) for n in range(RESTARTS))
    at, number = max(found)
    following = (number + 1) % RESTARTS if at > scan_at else 0
    return bytes([0xFF, FIRST_RESTART + following])


def _has_all_scans(data: bytes) -> bool:
    """Return whether the scans hold every bit of every coefficient of every component."""
    is_progressive = False
    lowest_bits: dict[int, list[int]] = {}  # component to the lowest bit sent, by coefficient
    for marker, body in segments(data):
        if marker in FRAME_HEADERS and len(body) > 5 and not lowest_bits:
            is_progressive = marker in PROGRESSIVE_FRAMES
            names = body[6 : 6 + 3 * body[5] : 3]
            lowest_bits = {name: [COEFFICIENTS] * COEFFICIENTS for name in names}
        elif marker == START_OF_SCAN and body:
            names = body[1 : 1 + 2 * body[0] : 2]
            first, last, lowest = 0, COEFFICIENTS - 1, 0
            if is_progressive and len(body) >= 4 + 2 * body[0]:
                first, last, bits = body[1 + 2 * body[0] : 4 + 2 * body[0]]
                lowest = bits & 15
            for name in names:
                sent = lowest_bits.get(name, [])
                sent[first : last + 1] = [lowest] * len(sent[first : last + 1])
    return bool(lowest_bits) and not any(any(sent) for sent in lowest_bits.values())
