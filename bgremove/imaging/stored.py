"""Read the pixels that a picture stores, with the decoder that its type needs.

OpenCV reads JPEG, PNG and WEBP, Pillow GIF; BMP is unpacked here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.errors import ImageError, UpstreamError
from bgremove.imaging import bmp, gif
from bgremove.imaging.canvas import placed
from bgremove.imaging.probe import jpeg_end, png, webp

if TYPE_CHECKING:
    from bgremove.datatypes import ImageU8

# Keeps alpha and 16 bits; the orientation is ours to apply, since OpenCV never does for WEBP.
ANY = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION
OPENCV_WEBP_BYTES = 32  # a shorter WEBP, of which there are sound ones, is none for OpenCV
REDUCED = {  # flags that say by how much, whatever else their names say
    1: 0,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


def read(data: bytes, header: ImageHeader) -> tuple[ImageU8, ImageU8 | None]:
    """Return colours, uint8 (H, W) or (H, W, 3) in BGR, and alpha, uint8 (H, W) or None.

    Raises ImageError where the decoder refuses the picture, UpstreamError where memory runs out.
    """
    if header.type is ImageType.BMP:
        return _split(bmp.read(data))
    if header.type is ImageType.GIF:
        return _split(gif.read(data))
    if header.type is ImageType.PNG:
        return _read_png(data, _opencv(png.still(data), header, ANY))
    if header.type is ImageType.JPEG:
        return _split(_read_jpeg(data, header))
    return _split(_read_webp(data, header))


def _opencv(
    data: bytes, header: ImageHeader, flags: int, shape: tuple[int, int] | None = None
) -> NDArray[Any]:
    """Return the pixels, uint8 or uint16, (H, W) or (H, W, 3 or 4) in BGR or BGRA.

    ``shape`` is the (H, W) to expect where it is not that of the header.
    """
    try:
        pixels: NDArray[Any] | None = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error as error:
        if error.code == cv2.Error.StsNoMem:
            raise UpstreamError("There was not enough memory to read the picture") from error
        raise ImageError("The picture is damaged and cannot be read", private=str(error)) from error
    if pixels is None or pixels.shape[:2] != (shape or _stored_shape(header)):
        raise ImageError(f"The {header.type} is damaged or cut short and cannot be read")
    return pixels


def _read_jpeg(data: bytes, header: ImageHeader) -> NDArray[Any]:
    """Read a JPEG, also without its end marker, provided that every row is there.

    libjpeg fills in what it does not find, gray, and reports no error for it.
    """
    flags = ANY | REDUCED[header.reduction]
    if jpeg_end.has_end(data):
        return _opencv(data, header, flags)
    pixels: NDArray[Any] | None = None
    for ended in jpeg_end.endings(data):
        decoded = _opencv(ended, header, flags)
        if pixels is not None and not np.array_equal(pixels, decoded):
            raise ImageError("The JPEG is cut short: not all of its rows are there")
        pixels = decoded
    if pixels is None:
        raise ImageError("The JPEG is cut short: not all of its scans are there")
    return pixels


def _read_webp(data: bytes, header: ImageHeader) -> NDArray[Any]:
    """Read the picture, or the first frame of an animation, whatever follows it."""
    frame = webp.first_frame(data)
    still = frame.still.ljust(OPENCV_WEBP_BYTES, b"\0")
    return placed(_opencv(still, header, ANY, frame.size[::-1]), frame)


def _read_png(data: bytes, pixels: NDArray[Any]) -> tuple[ImageU8, ImageU8 | None]:
    """Make the transparent gray of a PNG transparent, which OpenCV never does."""
    gray = png.transparent_gray(data)
    if gray is None or pixels.ndim != 2:
        return _split(_eight_bits(pixels))
    value, largest = gray
    value *= max(1, 255 // largest)  # OpenCV spreads 1, 2 and 4 bits over 8, and keeps 16
    alpha = np.where(pixels == value, 0, 255).astype(np.uint8)
    return _eight_bits(pixels), None if alpha.all() else alpha


def _eight_bits(pixels: NDArray[Any]) -> ImageU8:
    """Round 16 bits to 8: v / 257, to nearest."""
    if pixels.dtype == np.uint16:
        flat = pixels.reshape(pixels.shape[0], -1)
        pixels = cv2.convertScaleAbs(flat, alpha=1 / 257).reshape(pixels.shape)
    return pixels


def _stored_shape(header: ImageHeader) -> tuple[int, int]:
    """Return the rows and columns to be decoded, before they are turned upright."""
    width, height = header.decoded_size
    return (width, height) if header.orientation >= 5 else (height, width)


def _split(pixels: NDArray[Any]) -> tuple[ImageU8, ImageU8 | None]:
    """Part colours from alpha, which is None where every pixel is opaque."""
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels, None
    alpha: NDArray[Any] = cv2.extractChannel(pixels, 3)
    colours: NDArray[Any] = cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR)
    return colours, None if cv2.minMaxLoc(alpha)[0] == 255 else alpha
