"""Orientation of a picture, from an EXIF block or an XMP packet."""

from __future__ import annotations

import re

from bgremove.imaging.probe.tiff import Directory

PREFIX = b"Exif\0\0"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"  # of a JPEG's APP1 segment
UPRIGHT = 1
ORIENTATION_TAG = 0x0112  # Exif 2.32, table 4
XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')  # as attribute or as element


def orientation_in_xmp(packet: bytes) -> int | None:
    """Return the orientation in an XMP packet, 1 to 8; None if absent."""
    found = XMP_ORIENTATION.search(packet)
    return int(found[1]) if found else None


def orientation_of(block: bytes) -> int:
    r"""Return the orientation in an EXIF block, 1 to 8; 1 if absent or invalid.

    ``block`` starts with the TIFF header, or with ``Exif\0\0`` and the TIFF header.
    """
    value = Directory(block.removeprefix(PREFIX)).number(ORIENTATION_TAG)
    return value if 1 <= value <= 8 else UPRIGHT
