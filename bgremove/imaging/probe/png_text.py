"""Text chunks of a PNG: their unpacked size, and the EXIF that ImageMagick writes in them."""

from __future__ import annotations

import zlib

from bgremove.imaging.probe.limits import MIB
from bgremove.imaging.probe.metadata import orientation_of

CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
XMP = b"XML:com.adobe.xmp"
RAW_EXIF = frozenset({b"Raw profile type exif", b"Raw profile type APP1"})

# All unpacked text of a picture. libpng unpacks up to 8 MB of every chunk, twice: 100 chunks in
# 770 kB took 2.3 s. Editors write up to a few hundred kB of XMP.
MAX_TEXT_BYTES = 8 * MIB

# Characters of hexadecimal EXIF to read: the most that fits in a JPEG (64 KiB), with line ends.
# The orientation is in the first directory, near the start.
MAX_HEX_CHARACTERS = 160 * 1024
WHITESPACE = b" \t\n\r\v\f"


def unpacked(name: bytes, body: bytes, budget: int) -> tuple[bytes, bytes]:
    """Return a text chunk's keyword and text, which exceeds ``budget`` bytes if over budget."""
    keyword, _, rest = body.partition(b"\0")
    if name == b"zTXt":
        text = unpack(rest[1:], budget)
    elif name == b"iTXt" and rest[:1] == b"\1":
        text = unpack(rest[2:].split(b"\0", 2)[-1], budget)
    else:
        text = rest
    return keyword, text


def unpack(packed: bytes, budget: int) -> bytes:
    """Inflate at most ``budget`` + 1 bytes; return empty bytes for a damaged stream."""
    try:
        return zlib.decompressobj().decompress(packed, budget + 1)
    except zlib.error:
        return b""


def orientation_in(text: bytes) -> int | None:
    """Return the orientation in EXIF written as hexadecimal text: name, length, digits.

    Only the start of the text is read, because millions of words take hundreds of megabytes.
    """
    words = text[:MAX_HEX_CHARACTERS].split(None, 2)
    if len(words) < 3:
        return None
    digits = words[2].translate(None, WHITESPACE)
    try:
        return orientation_of(bytes.fromhex(digits[: len(digits) & ~1].decode("ascii")))
    except ValueError:
        return None
