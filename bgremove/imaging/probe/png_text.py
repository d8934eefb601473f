"""Text chunks of a PNG: their unpacked size, and the EXIF that ImageMagick writes in them."""

from __future__ import annotations

import zlib

from bgremove.imaging.probe.limits import MIB, refuse_above
from bgremove.imaging.probe.metadata import orientation_of

CHUNKS = frozenset({b"tEXt", b"zTXt", b"iTXt"})
XMP = b"XML:com.adobe.xmp"
RAW_EXIF = frozenset({b"Raw profile type exif", b"Raw profile type APP1"})

# All unpacked text of a picture. libpng unpacks up to 8 MB of every chunk, twice: 100 chunks in
# 770 kB took 2.3 s. Editors write up to a few hundred kB of XMP.
MAX_TEXT_BYTES = 8 * MIB

# Maximum ratio of compressed to uncompressed bytes. Stored blocks have a ratio of 1.0003. Higher
# ratios come from empty blocks.
MAX_PACKED_RATIO = 1.5
STEP_BYTES = 4096  # inflated at a time; packed bytes that are allowed in any case
MAX_KEYWORD_BYTES = 79
MAX_LANGUAGE_BYTES = 4096  # of iTXt: its language and its keyword in that language

# Characters of hexadecimal EXIF to read: the most that fits in a JPEG (64 KiB), with line ends.
# The orientation is in the first directory, near the start.
MAX_HEX_CHARACTERS = 160 * 1024
WHITESPACE = b" \t\n\r\v\f"


def unpacked(name: bytes, body: memoryview, budget: int) -> tuple[bytes, bytes | memoryview]:
    """Return a text chunk's keyword and text; packed text is cut at ``budget`` + 1 bytes.

    Raises ImageError if the packed text is far longer than its content.
    """
    keyword, rest = split_keyword(body)
    if name == b"zTXt":
        return keyword, inflated(rest[1:], budget)
    if name == b"iTXt" and bytes(rest[:1]) == b"\1":
        *before, _ = bytes(rest[2 : 2 + MAX_LANGUAGE_BYTES]).split(b"\0", 2)
        if len(before) == 2:  # the language and the translated keyword
            packed_at = 4 + sum(map(len, before))
            return keyword, inflated(rest[packed_at:], budget)
    return keyword, rest


def split_keyword(body: memoryview) -> tuple[bytes, memoryview]:
    """Return the keyword or profile name that starts a chunk, and the body after its zero byte."""
    keyword, zero, _ = bytes(body[: MAX_KEYWORD_BYTES + 1]).partition(b"\0")
    return (keyword, body[len(keyword) + 1 :]) if zero else (b"", body)


def inflated(packed: memoryview, budget: int) -> bytes:
    """Inflate at most ``budget`` + 1 bytes; return empty bytes for a damaged stream.

    Raises ImageError for a stream that is far longer than its content: 10 MB of empty blocks took
    0.9 s.
    """
    stream, content = zlib.decompressobj(), bytearray()
    for at in range(0, len(packed), STEP_BYTES):
        try:
            content += stream.decompress(packed[at : at + STEP_BYTES], budget + 1 - len(content))
        except zlib.error:
            return b""
        if stream.eof or len(content) > budget:
            break
        allowed = int(MAX_PACKED_RATIO * len(content)) + STEP_BYTES
        refuse_above(allowed, at + STEP_BYTES, "bytes of a packed text or colour profile")
    return bytes(content)


def orientation_in(text: bytes | memoryview) -> int | None:
    """Return the orientation in EXIF written as hexadecimal text: name, length, digits.

    Only the start of the text is read, because millions of words take hundreds of megabytes.
    """
    words = bytes(text[:MAX_HEX_CHARACTERS]).split(None, 2)
    if len(words) < 3:
        return None
    digits = words[2].translate(None, WHITESPACE)
    try:
        return orientation_of(bytes.fromhex(digits[: len(digits) & ~1].decode("ascii")))
    except ValueError:
        return None
