"""What a BMP declares."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.imaging.probe.limits import Limits, cut_short

CORE_HEADER_BYTES = 12  # OS/2 1.x: sizes are 16 bits wide
ALPHA_HEADER_BYTES = 56  # the first header that has a fourth mask
BITFIELDS = 3
BGRA = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)  # what masks of nothing stand for, as in Pillow


@dataclass(frozen=True, slots=True)
class BmpHeader:
    """The fields of a BMP's two headers that decoding needs.

    ``masks`` are those of red, green, blue and alpha; zeros where the file has none.
    """

    pixels_at: int
    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    masks: tuple[int, int, int, int] = (0, 0, 0, 0)


def parse(data: bytes) -> BmpHeader:
    """Read both headers; raises ImageError where ``data`` ends within them."""
    if len(data) < 26:
        raise cut_short("BMP")
    pixels_at, header_bytes = struct.unpack_from("<II", data, 10)
    if header_bytes == CORE_HEADER_BYTES:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        return BmpHeader(pixels_at, width, height, False, bits, 0)
    if len(data) < 34:
        raise cut_short("BMP")
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    masks = (0, 0, 0, 0)
    if compression == BITFIELDS and len(data) >= 70:
        # A header of 40 bytes has three masks behind it, a longer one has them in the same place.
        red, green, blue, alpha = struct.unpack_from("<IIII", data, 54)
        masks = (red, green, blue, alpha if header_bytes >= ALPHA_HEADER_BYTES else 0)
        masks = masks if any(masks) else BGRA
    return BmpHeader(pixels_at, width, abs(height), height < 0, bits, compression, masks)


def read(data: bytes, limits: Limits) -> ImageHeader:
    """Read the size of a BMP; it has neither frames nor metadata that cost anything."""
    header = parse(data)
    return ImageHeader(ImageType.BMP, header.width, header.height)
