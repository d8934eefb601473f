"""Read a picture: its header, with the size to decode, and then its pixels.

The service receives files. The Python API also accepts pixels, which are decoded already.
"""

from __future__ import annotations

from dataclasses import replace

from bgremove.datatypes import DecodedImage, ImageHeader, ImageType
from bgremove.deadline import Deadline
from bgremove.imaging.decoder.pool import DecoderPool
from bgremove.imaging.probe import Limits, probe
from bgremove.imaging.probe.metadata import is_cmyk
from bgremove.options import Options, OutputFormat

# Minimum pixels of the shorter side when a mask is decoded. The edge of the mask has the same
# quality, but single pixels, and areas that the networks doubt, may differ from the alpha of
# `transparent`.
MASK_SIDE = 1100


def read_header(picture: bytes | DecodedImage, options: Options, limits: Limits) -> ImageHeader:
    """Return the header of a picture; a picture for a mask may be decoded at reduced size.

    Raises:
        ImageError: The file is no picture, damaged, or over a limit.

    """
    if isinstance(picture, DecodedImage):
        return ImageHeader(ImageType.PNG, *picture.size)
    header = probe(picture, limits)
    return reduced(header, MASK_SIDE) if options.output_format is OutputFormat.MASK else header


def read_pixels(
    picture: bytes | DecodedImage, header: ImageHeader, decoders: DecoderPool, deadline: Deadline
) -> DecodedImage:
    """Return the pixels of a picture, decoded in another process where it is a file.

    Raises the errors of `DecoderPool.decode`.
    """
    if isinstance(picture, DecodedImage):
        return picture
    return decoders.decode(picture, header, deadline)


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
