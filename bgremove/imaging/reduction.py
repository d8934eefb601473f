"""Choice of the decoding size: smaller than stored if the output allows it."""

from __future__ import annotations

from dataclasses import replace

from bgremove.datatypes import ImageHeader, ImageType, Options, OutputFormat
from bgremove.imaging.profile import is_cmyk

# Minimum pixels of the shorter side when a mask is decoded. The edge of the mask has the same
# quality, but single pixels may differ from the alpha of `transparent`.
MASK_SIDE = 1100


def header_to_decode(header: ImageHeader, options: Options) -> ImageHeader:
    """Return the header with the reduction that the output allows; only masks allow one."""
    if options.output_format is OutputFormat.MASK:
        return reduced(header, MASK_SIDE)
    return header


def reduced(header: ImageHeader, least_side: int) -> ImageHeader:
    """Return the header with the strongest reduction that keeps ``least_side`` pixels.

    The limit applies to the shorter side of a JPEG. libjpeg then does less work, and later stages
    have fewer pixels. A JPEG with a CMYK profile keeps its full size because Pillow converts it.
    """
    if header.type is not ImageType.JPEG or is_cmyk(header.icc_profile):
        return header
    side = min(header.width, header.height)
    fitting = (count for count in (8, 4, 2, 1) if side >= count * least_side or count == 1)
    return replace(header, reduction=next(fitting))
