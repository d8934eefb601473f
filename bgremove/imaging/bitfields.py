"""Unpack BMP pixels stored in bit fields."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ImageU8
    from bgremove.imaging.probe.bmp import BmpHeader

BAND_PIXELS = 1_000_000  # unpacked at a time, so that the 32-bit intermediates stay at a few MB


def unpack(rows: ImageU8, header: BmpHeader) -> ImageU8:
    """Return the channels described by the header's masks, scaled to 8 bits.

    Args:
        rows: Packed rows, uint8 (H, bytes of a row), top row first.
        header: The header of the BMP, with 16 or 32 bits per pixel.

    Returns:
        uint8 (H, W, 3) in BGR, or (H, W, 4) in BGRA if the header has an alpha mask.
    """
    word = np.dtype("<u2" if header.bits == 16 else "<u4")
    red, green, blue, alpha = header.masks
    masks = (blue, green, red, alpha) if alpha else (blue, green, red)
    pixels = np.empty((header.height, header.width, len(masks)), np.uint8)
    band = max(1, BAND_PIXELS // header.width)
    for top in range(0, header.height, band):
        packed = np.ascontiguousarray(rows[top : top + band]).view(word).astype(np.uint32)
        for channel, mask in enumerate(masks):
            pixels[top : top + band, :, channel] = _scaled(packed, mask)
    return pixels


def _scaled(packed: NDArray[np.uint32], mask: int) -> NDArray[np.uint8]:
    """Extract the bits of ``mask`` and scale them to 0 to 255; an empty mask gives 0."""
    if not mask:
        return np.zeros(packed.shape, np.uint8)
    shift = (mask & -mask).bit_length() - 1
    top = mask >> shift
    field = ((packed & np.uint32(mask)) >> np.uint32(shift)).astype(np.float32)
    stretched: NDArray[np.uint8] = np.rint(field * np.float32(255 / top)).astype(np.uint8)
    return stretched
