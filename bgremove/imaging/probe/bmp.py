"""Read the headers of a BMP."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.errors import ImageError
from bgremove.imaging.probe.limits import Limits, cut_short
from bgremove.imaging.probe.metadata import METRE, Density, density

FILE_HEADER_BYTES = 14
CORE_HEADER_BYTES = 12  # OS/2 1.x: sizes are 16 bits wide, colours have 3 bytes
SHORT_HEADER_BYTES = 16  # OS/2 2.x may end its header after any field from here on
ALPHA_HEADER_BYTES = 56  # the first header that has a fourth mask
RGB, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6
NO_MASKS = (0, 0, 0, 0)
BGRA = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)  # used if all masks are zero, as in Pillow
BGR_555 = (0x7C00, 0x3E0, 0x1F, 0)
DEPTHS = {  # compression to allowed bits per pixel
    RGB: (1, 2, 4, 8, 16, 24, 32),
    RLE8: (8,),
    RLE4: (4,),
    BITFIELDS: (16, 24, 32),
    ALPHA_BITFIELDS: (16, 24, 32),
}


@dataclass(frozen=True, slots=True)
class BmpHeader:
    """The fields of a BMP's two headers needed for decoding.

    ``masks`` are for red, green, blue and alpha; zeros if the pixels have no bit fields.
    The palette has ``colours`` entries of ``colour_bytes`` bytes, starting at ``palette_at``.
    """

    pixels_at: int
    width: int
    height: int
    top_down: bool
    bits: int
    compression: int
    masks: tuple[int, int, int, int]
    density: Density | None
    palette_at: int
    colours: int
    colour_bytes: int

    @property
    def row_bytes(self) -> int:
        """Bytes of a row's pixels, without padding."""
        return (self.width * self.bits + 7) // 8

    @property
    def stride(self) -> int:
        """Bytes from the start of one row to the next."""
        return (self.row_bytes + 3) & ~3


def parse(data: bytes) -> BmpHeader:
    """Parse both headers; raise ImageError if ``data`` ends within them."""
    if len(data) < FILE_HEADER_BYTES + CORE_HEADER_BYTES:
        raise cut_short("BMP")
    pixels_at, header_bytes = struct.unpack_from("<II", data, 10)
    palette_at = FILE_HEADER_BYTES + header_bytes
    if header_bytes == CORE_HEADER_BYTES:
        width, height, _, bits = struct.unpack_from("<HHHH", data, 18)
        masks = BGR_555 if bits == 16 else NO_MASKS
        colours = _colours(bits, 0)
        return BmpHeader(
            pixels_at, width, height, False, bits, RGB, masks, None, palette_at, colours, 3
        )
    if header_bytes < SHORT_HEADER_BYTES or len(data) < palette_at:
        raise cut_short("BMP")
    fields = data[18 : min(palette_at, 54)].ljust(36, b"\0")  # absent fields are zeros
    width, height, _, bits, compression = struct.unpack_from("<iiHHI", fields)
    colours = _colours(bits, struct.unpack_from("<I", fields, 28)[0])
    masks = _masks(data, header_bytes, bits, compression)
    across, down = struct.unpack_from("<ii", fields, 20)
    return BmpHeader(
        pixels_at,
        width,
        abs(height),
        height < 0,
        bits,
        compression,
        masks,
        density(across, down, METRE),
        palette_at,
        colours,
        colour_bytes=4,
    )


def _colours(bits: int, used: int) -> int:
    """Return the number of colours in the palette; 0 for pixels without a palette."""
    most = 1 << bits if bits <= 8 else 0
    return min(used or most, most)


def _masks(
    data: bytes, header_bytes: int, bits: int, compression: int
) -> tuple[int, int, int, int]:
    if compression == RGB and bits == 16:
        return BGR_555
    if compression not in (BITFIELDS, ALPHA_BITFIELDS) or bits not in (16, 32):
        return NO_MASKS
    # The masks follow a header of 40 bytes; a longer header holds them in the same place.
    red, green, blue, alpha = struct.unpack("<IIII", data[54:70].ljust(16, b"\0"))
    if header_bytes < ALPHA_HEADER_BYTES and compression == BITFIELDS:
        alpha = 0
    if any((red, green, blue, alpha)):
        return red, green, blue, alpha
    return BGRA if bits == 32 else BGR_555


def read(data: bytes, limits: Limits) -> ImageHeader:
    """Read the header of a BMP; the format has no frames and no costly metadata."""
    header = parse(data)
    if header.compression not in DEPTHS:
        raise ImageError(
            f"The BMP is of compression {header.compression}, which is not read; save it without"
        )
    if header.bits not in DEPTHS[header.compression]:
        raise ImageError(
            f"The BMP has {header.bits} bits a pixel at compression {header.compression}, which "
            "does not exist"
        )
    return ImageHeader(ImageType.BMP, header.width, header.height, density=header.density)
