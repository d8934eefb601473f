"""BMP pixels packed in bit fields, which OpenCV reads as if every file used the same ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bgremove.imaging.probe.bmp import BITFIELDS, BmpHeader

if TYPE_CHECKING:
    from bgremove.datatypes import ImageU8

BAND_PIXELS = 1_000_000  # unpacked at a time, so that the 32-bit intermediates stay at a few MB


def is_packed(header: BmpHeader) -> bool:
    """Say whether the pixels are in bit fields that the header's masks describe."""
    return header.compression == BITFIELDS and header.bits in (16, 32) and any(header.masks[:3])


def unpack(data: bytes, header: BmpHeader) -> ImageU8 | None:
    """Return the pixels as BGR or BGRA uint8 (H, W, 3 or 4); None where ``data`` ends too early."""
    stride = (header.width * header.bits // 8 + 3) & ~3
    if header.pixels_at + stride * header.height > len(data):
        return None
    word = np.dtype("<u2" if header.bits == 16 else "<u4")
    rows: NDArray[Any] = np.ndarray(
        (header.height, header.width), word, data, header.pixels_at, (stride, word.itemsize)
    )
    if not header.top_down:
        rows = rows[::-1]
    red, green, blue, alpha = header.masks
    masks = (blue, green, red, alpha) if alpha else (blue, green, red)
    pixels = np.empty((header.height, header.width, len(masks)), np.uint8)
    band = max(1, BAND_PIXELS // header.width)
    for top in range(0, header.height, band):
        part = rows[top : top + band].astype(np.uint32)
        for channel, mask in enumerate(masks):
            pixels[top : top + band, :, channel] = _scaled(part, mask)
    return pixels


def _scaled(packed: NDArray[np.uint32], mask: int) -> NDArray[np.uint8]:
    """Take the bits of ``mask`` and stretch them to 0 to 255; a field of no bits is 0."""
    if not mask:
        return np.zeros(packed.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    field = ((packed & np.uint32(mask)) >> np.uint32(shift)).astype(np.float32)
    stretched: NDArray[np.uint8] = np.rint(field * np.float32(255 / top)).astype(np.uint8)
    return stretched
