"""Estimates of the time and memory that a picture takes, from its header and options.

Measured through the service at 50 megapixels, on two cores and with both networks loaded: the times
of its stages, and the peak of the memory of worker and decoder. docs/capacity.md has the table. The
times decide how many pictures may wait (`serving.places`), the memory how many are worked on at
once (`room`).
"""

from __future__ import annotations

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.imaging.intake import MASK_SIDE, reduced
from bgremove.imaging.placement import most_pixels
from bgremove.matting.exact import halvings_of
from bgremove.options import Encoding, Options, OutputFormat

MEGAPIXEL = 1_000_000
NETWORKS_S = 0.4  # one network or two, and what does not depend on the size
# Seconds a megapixel. A JPEG that is decoded smaller still has all its bits to be read.
DECODE_S = {
    ImageType.JPEG: 0.007,
    ImageType.PNG: 0.017,
    ImageType.BMP: 0.015,
    ImageType.WEBP: 0.010,
    ImageType.GIF: 0.011,
}
MATTE_S = 0.014  # preprocessing, matte and foreground
ENCODE_S = {Encoding.PNG: 0.007, Encoding.JPEG: 0.007, Encoding.WEBP: 0.110}
RESAMPLE_S = 0.050  # of a canvas

# Bytes a pixel until the cutout is made, decoding included. A type that can have alpha is counted
# with it: 22 of PNG, 11 without; 14 of the most expensive JPEG, progressive CMYK.
WORK_BYTES = {
    ImageType.JPEG: 15,
    ImageType.PNG: 22,
    ImageType.BMP: 22,
    ImageType.WEBP: 22,
    ImageType.GIF: 22,
}
# A picture may be a graphic, which is read at half its size or less above 8 megapixels: labels of
# its ink and of the regions in it, distances and alpha, beside its colours. Rings within each other
# take the most: 27 with their colours at 4 megapixels, 24 at 8.
COLOUR_BYTES, GRAPHIC_BYTES = 3, 24
# Bytes a pixel as stored: a progressive JPEG is decoded from all its coefficients, at any size.
COEFFICIENT_BYTES = 8
CUTOUT_BYTES = 7  # colours, and alpha in float32
# Bytes a pixel of the answer while it is encoded. PNG: the strips of a picture that does not
# compress, twice, beside the cutout. JPEG and WEBP: the whole canvas, after which the cutout is
# freed, and the encoder's own memory; WEBP compresses alpha apart.
ENCODE_BYTES = {Encoding.PNG: 8, Encoding.JPEG: 7, Encoding.WEBP: 26}


def seconds(header: ImageHeader, options: Options) -> float:
    """Estimate the seconds from decoding to the encoded answer, on an idle machine of two cores."""
    decoded = _decoded_pixels(header, options)
    answer = _answer_pixels(header, options)
    encoding = ENCODE_S[options.file_type]
    if options.canvas is not None:
        encoding += RESAMPLE_S
    of_pixels = DECODE_S[header.type] * header.pixels + MATTE_S * decoded + encoding * answer
    return NETWORKS_S + of_pixels / MEGAPIXEL


def peak_bytes(header: ImageHeader, options: Options) -> int:
    """Estimate the most memory that a picture takes at once, beyond its upload."""
    if options.output_format is OutputFormat.MASK:
        header = reduced(header, MASK_SIDE)
    width, height = header.decoded_size
    decoded = width * height
    work = max(
        WORK_BYTES[header.type] * decoded,
        COEFFICIENT_BYTES * header.pixels,
        _graphic_bytes(width, height),
    )
    kept = CUTOUT_BYTES * decoded if options.file_type is Encoding.PNG else 0
    answer = ENCODE_BYTES[options.file_type] * _answer_pixels(header, options)
    return max(work, kept + answer)


def _graphic_bytes(width: int, height: int) -> int:
    level = halvings_of(width, height)
    read = (width >> level) * (height >> level)
    return COLOUR_BYTES * width * height + GRAPHIC_BYTES * read


def room_bytes(max_pixels: int) -> int:
    """Return the memory for pictures in progress: that of the most expensive one."""
    return max(*WORK_BYTES.values(), *ENCODE_BYTES.values()) * max_pixels


def _decoded_pixels(header: ImageHeader, options: Options) -> int:
    if options.output_format is OutputFormat.MASK:
        header = reduced(header, MASK_SIDE)
    width, height = header.decoded_size
    return width * height


def _answer_pixels(header: ImageHeader, options: Options) -> int:
    if options.output_format is OutputFormat.MASK:
        return _decoded_pixels(header, options)
    return most_pixels(header.size, options)
