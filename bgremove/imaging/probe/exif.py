"""The one thing wanted of an EXIF block: which way up the picture is."""

from __future__ import annotations

import re
from typing import Literal

PREFIX = b"Exif\0\0"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"  # of a JPEG's APP1 segment
UPRIGHT = 1
ORIENTATION_TAG = 0x0112  # Exif 2.32, table 4
XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')  # as attribute or as element
SIZES = {3: 2, 4: 4}  # TIFF field type to bytes: SHORT, as the standard has it, and LONG


def orientation_in_xmp(packet: bytes) -> int | None:
    """Return the orientation, 1 to 8, that an XMP packet names; None where it names none."""
    found = XMP_ORIENTATION.search(packet)
    return int(found[1]) if found else None


def orientation_of(block: bytes) -> int:
    r"""Return the orientation, 1 to 8, of an EXIF block; 1 where it says none or nonsense.

    ``block`` starts with the TIFF header or with ``Exif\0\0`` before it. Only the first
    directory counts: the second describes the thumbnail.
    """
    tiff = block.removeprefix(PREFIX)
    order: Literal["little", "big"]
    if tiff.startswith(b"II*\0"):
        order = "little"
    elif tiff.startswith(b"MM\0*"):
        order = "big"
    else:
        return UPRIGHT

    def number(at: int, size: int) -> int:
        return int.from_bytes(tiff[at : at + size], order)

    first = number(4, 4)
    fitting = max(0, len(tiff) - first - 2) // 12
    entries = min(number(first, 2), fitting)
    for at in range(first + 2, first + 2 + 12 * entries, 12):
        if number(at, 2) == ORIENTATION_TAG:
            value = number(at + 8, SIZES.get(number(at + 2, 2), 0))
            return value if 1 <= value <= 8 else UPRIGHT
    return UPRIGHT
