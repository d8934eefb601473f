"""Encode a cutout as PNG, JPEG or WebP, with no metadata but colour profile and density."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import replace
from functools import partial

import cv2
import numpy as np

from bgremove.datatypes import Cutout, EncodedImage, ImageU8
from bgremove.errors import UpstreamError
from bgremove.imaging.compose import binary_mask, is_gray, on_ground, transparent
from bgremove.imaging.placement import Placement, place
from bgremove.imaging.png import TO_RGB, Canvas, encode_png
from bgremove.options import Encoding, Options, OutputFormat

# 95 takes 30 % more bytes for 1 dB; optimised Huffman tables take 3 times as long for 2 % less.
JPEG_QUALITY = 92
STRIP_PIXELS = 1 << 19  # per strip, for encoders that take the whole picture
INCH = 0.0254  # metres
JFIF = b"JFIF\0"
# At quality 90 colours have 38 dB and alpha is lossless. Files have a fifth of the bytes of PNG and
# take ten times the time (140 ms of CPU per megapixel). Lossless files have three fifths, 205 ms.
# Method 4 is 2 % smaller, 215 ms. `exact` keeps the colours under transparency; without it
# saturated edges are off by 28 levels.
WEBP = {"quality": 90, "method": 2, "exact": True}


def encode(cutout: Cutout, options: Options, executor: Executor) -> EncodedImage:
    """Encode a cutout to the requested file, composed strip by strip.

    Raises:
        UpstreamError: The encoder fails.

    """
    return encoder(cutout, options, executor)()


def encoder(cutout: Cutout, options: Options, executor: Executor) -> Callable[[], EncodedImage]:
    """Return the last step of `encode`, a call without arguments.

    For JPEG and WEBP the canvas is composed already, so that the caller can free the cutout.
    """
    canvas = _canvas(cutout, place(cutout, options), options)
    profile, density = _profile(cutout, options), cutout.density
    data: Callable[[], bytes]
    match options.file_type:
        case Encoding.PNG:
            data = partial(encode_png, canvas, executor, profile, density)
        case Encoding.JPEG:
            data = partial(encode_jpeg, composed(canvas, executor), profile, density)
        case Encoding.WEBP:
            data = partial(encode_webp, composed(canvas, executor), profile)
    size = canvas.width, canvas.height
    return lambda: EncodedImage(data(), options.content_type, *size)


def picture_of(cutout: Cutout, options: Options, executor: Executor) -> ImageU8:
    """Compose the picture that `encode` writes.

    Returns:
        uint8: RGBA (H, W, 4) with straight alpha, RGB (H, W, 3) for ``white_bg``, or (H, W) for
        ``mask``.

    """
    if options.output_format is OutputFormat.MASK:
        return composed(_canvas(cutout, place(cutout, options), options), executor)
    coloured = replace(options, encoding=Encoding.WEBP)  # a WebP canvas is never gray
    pixels = composed(_canvas(cutout, place(cutout, options), coloured), executor)
    return np.asarray(cv2.cvtColor(pixels, TO_RGB[pixels.shape[2]]), dtype=np.uint8)


def composed(canvas: Canvas, executor: Executor) -> ImageU8:
    """Compose a whole canvas, with strips in parallel."""
    shape = (canvas.height, canvas.width, canvas.channels)
    whole = np.empty(shape if canvas.channels > 1 else shape[:2], np.uint8)
    rows = max(1, STRIP_PIXELS // canvas.width)

    def fill(top: int) -> None:
        end = min(canvas.height, top + rows)
        whole[top:end] = canvas.rows(top, end)

    list(executor.map(fill, range(0, canvas.height, rows)))
    return whole


def encode_jpeg(
    pixels: ImageU8, icc_profile: bytes | None = None, density: tuple[int, int] | None = None
) -> bytes:
    """Encode gray uint8 (H, W) or BGR uint8 (H, W, 3) as JPEG.

    Colour is not subsampled (4:4:4). With subsampling, a decoder's smoothing between blocks tints
    white blocks beside the subject, and coloured edges bleed.

    Args:
        pixels: The picture.
        icc_profile: Written in APP2 segments.
        density: Pixels per metre across and down, written to JFIF in pixels per inch.

    Raises:
        UpstreamError: OpenCV fails to encode.

    """
    sampling = cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444
    settings = [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    if icc_profile is None:
        written, data = cv2.imencode(".jpg", pixels, settings)
    else:
        profile = np.frombuffer(icc_profile, np.uint8)
        kinds = [cv2.IMAGE_METADATA_ICCP]
        written, data = cv2.imencodeWithMetadata(".jpg", pixels, kinds, [profile], settings)
    if not written:
        raise UpstreamError("The result could not be encoded", private="imencode returned False")
    if density is not None:
        _set_density(data, density)
    return data.tobytes()


def encode_webp(pixels: ImageU8, icc_profile: bytes | None = None) -> bytes:
    """Encode BGR uint8 (H, W, 3) or straight BGRA uint8 (H, W, 4) as WebP; overwrites ``pixels``.

    Raises:
        UpstreamError: The encoder fails.

    """
    from PIL import Image  # imported on demand: most workers never need its memory

    code = cv2.COLOR_BGR2RGB if pixels.shape[2] == 3 else cv2.COLOR_BGRA2RGBA
    file = io.BytesIO()
    cv2.cvtColor(pixels, code, dst=pixels)  # in place, because the encoder makes its own copies
    try:
        Image.fromarray(pixels).save(file, "WEBP", icc_profile=icc_profile, **WEBP)
    except (OSError, ValueError) as error:
        raise UpstreamError("The result could not be encoded", private=repr(error)) from error
    return file.getvalue()


def _canvas(cutout: Cutout, placement: Placement, options: Options) -> Canvas:
    size = placement.width, placement.height
    if options.output_format is OutputFormat.MASK:
        return Canvas(*size, 1, lambda top, end: binary_mask(cutout.alpha[top:end]))
    if options.output_format is OutputFormat.WHITE_BG:
        return Canvas(*size, 3, partial(on_ground, cutout, placement, options.ground))
    bgra = partial(transparent, cutout, placement)
    # An RGB profile needs three channels; WebP always has three.
    is_png, profile = options.file_type is Encoding.PNG, cutout.icc_profile
    if is_png and profile is None and is_gray(cutout.bgr):
        return Canvas(*size, 2, lambda top, end: bgra(top, end)[..., [0, 3]])
    return Canvas(*size, 4, bgra)


def _profile(cutout: Cutout, options: Options) -> bytes | None:
    return None if options.output_format is OutputFormat.MASK else cutout.icc_profile


def _set_density(jpeg: ImageU8, density: tuple[int, int]) -> None:
    """Write a density in pixels per metre to the JFIF header, the first segment."""
    dots = [min(round(value * INCH), 0xFFFF) for value in density]
    if jpeg[6:11].tobytes() == JFIF and all(dots):
        jpeg[13:18] = np.frombuffer(struct.pack(">BHH", 1, *dots), np.uint8)
