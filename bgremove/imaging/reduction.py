"""The size that a picture is decoded at: smaller than stored where the answer allows it."""

from __future__ import annotations

from dataclasses import replace

from bgremove.datatypes import ImageHeader, ImageType, Options, OutputFormat
from bgremove.imaging.profile import is_cmyk

# Pixels of the shorter side that the decode of a mask keeps. The edge of the mask is as good,
# though a pixel of it may differ from the alpha of `transparent`.
MASK_SIDE = 1100


def header_to_decode(header: ImageHeader, options: Options) -> ImageHeader:
    """Return the header with the reduction that the answer allows: only a mask allows any."""
    if options.output_format is OutputFormat.MASK:
        return reduced(header, MASK_SIDE)
    return header


def reduced(header: ImageHeader, least_side: int) -> ImageHeader:
    """Have a JPEG decoded smaller, as far as its shorter side keeps ``least_side`` pixels.

    libjpeg then leaves out work, and later stages have fewer pixels. A JPEG with a profile for
    CMYK is decoded at full size: Pillow converts it.
    """
    if header.type is not ImageType.JPEG or is_cmyk(header.icc_profile):
        return header
    side = min(header.width, header.height)
    fitting = (count for count in (8, 4, 2, 1) if side >= count * least_side or count == 1)
    return replace(header, reduction=next(fitting))
