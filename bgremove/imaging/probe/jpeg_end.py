"""Check that a JPEG without its end marker has all its scans."""

from __future__ import annotations

from bgremove.imaging.probe.segments import (
    END_OF_IMAGE,
    FRAME_HEADERS,
    PROGRESSIVE_FRAMES,
    START_OF_SCAN,
    segments,
)

END = bytes([0xFF, END_OF_IMAGE])
COEFFICIENTS = 64  # of a block
# Bits appended to the data: they begin with 0, 10, 110, 1110 and ones. If a row is missing from the
# data, the decoded pictures differ, because the fillers decode to different codes. Each is longer
# than the largest unit of 10 blocks, since the edge of a picture shows only a part of a unit.
FILLERS = tuple(bytes([bits]) * 4096 for bits in (0x00, 0xAA, 0xCC, 0xE1, 0xFE))
MOST_ZEROS = 2  # at the end that count as data; more zeros are padding of the file
SCAN, FIRST_RESTART, RESTARTS = bytes([0xFF, START_OF_SCAN]), 0xD0, 8


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
