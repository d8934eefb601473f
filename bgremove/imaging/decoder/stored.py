"""Read the stored pixels of a picture with the decoder for its type.

OpenCV reads JPEG, PNG and WEBP. Pillow reads GIF. This package reads BMP itself.
"""

from __future__ import annotations

import io
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.GifImagePlugin import GifImageFile

from bgremove.datatypes import FirstFrame, ImageHeader, ImageType, ImageU8
from bgremove.errors import ImageError, UpstreamError
from bgremove.imaging.decoder import bmp
from bgremove.imaging.probe import gif, jpeg_segments, png, webp

# Keeps alpha and 16 bits. Orientation is applied later, because OpenCV ignores it for WEBP.
ANY = cv2.IMREAD_COLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_ANYCOLOR | cv2.IMREAD_IGNORE_ORIENTATION
OPENCV_WEBP_BYTES = 32  # OpenCV rejects shorter files, though some are valid WEBP
REDUCED = {  # reduction to flag; GRAYSCALE in the names has no effect here
    1: 0,
    2: cv2.IMREAD_REDUCED_GRAYSCALE_2,
    4: cv2.IMREAD_REDUCED_GRAYSCALE_4,
    8: cv2.IMREAD_REDUCED_GRAYSCALE_8,
}


def read(data: bytes, header: ImageHeader) -> tuple[ImageU8, ImageU8 | None]:
    """Return colours, uint8 (H, W) or (H, W, 3) in BGR, and alpha, uint8 (H, W) or None.

    Raises ImageError if the decoder rejects the picture, UpstreamError if memory runs out.
    """
    match header.type:
        case ImageType.BMP:
            return _split(bmp.read(data))
        case ImageType.GIF:
            return _split(_read_gif(data))
        case ImageType.PNG:
            return _read_png(data, _opencv(png.still(data), header, ANY))
        case ImageType.JPEG:
            return _split(_read_jpeg(data, header))
        case ImageType.WEBP:
            return _split(_read_webp(data, header))


def _opencv(
    data: bytes, header: ImageHeader, flags: int, shape: tuple[int, int] | None = None
) -> NDArray[Any]:
    """Return the pixels, uint8 or uint16, (H, W) or (H, W, 3 or 4) in BGR or BGRA.

    ``shape`` is the expected (H, W) if it differs from the header's.
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
    """Read a JPEG; a missing end marker is accepted if every row is present.

    libjpeg fills missing rows with gray and reports no error.
    """
    flags = ANY | REDUCED[header.reduction]
    if jpeg_segments.has_end(data):
        return _opencv(data, header, flags)
    pixels: NDArray[Any] | None = None
    for ended in jpeg_segments.endings(data):
        decoded = _opencv(ended, header, flags)
        if pixels is not None and not np.array_equal(pixels, decoded):
            raise ImageError("The JPEG is cut short: not all of its rows are there")
        pixels = decoded
    if pixels is None:
        raise ImageError("The JPEG is cut short: not all of its scans are there")
    return pixels


def _read_webp(data: bytes, header: ImageHeader) -> NDArray[Any]:
    """Read the picture, or the first frame of an animation, and ignore all data after it."""
    frame = webp.first_frame(data)
    still = frame.still.ljust(OPENCV_WEBP_BYTES, b"\0")
    return _placed(_opencv(still, header, ANY, frame.size[::-1]), frame)


def _read_gif(data: bytes) -> ImageU8:
    """Decode the first frame and place it on its canvas.

    Returns:
        uint8 (H, W, 3) in BGR, or (H, W, 4) in BGRA if the frame has a transparent colour or does
        not cover the canvas.

    Raises:
        ImageError: A row of the frame is missing, or its data is broken.
    """
    frame = gif.first_frame(data)
    try:
        with GifImageFile(io.BytesIO(frame.still)) as image:
            # One block for all data: Pillow restarts its decoder after each end code otherwise.
            image.decodermaxblock = len(frame.still)
            has_alpha = "transparency" in image.info
            shown = np.asarray(image.convert("RGBA" if has_alpha else "RGB"))
    except (OSError, SyntaxError, ValueError, IndexError, EOFError) as error:
        raise ImageError(
            "The GIF is damaged or cut short: its first frame cannot be read", private=repr(error)
        ) from error
    pixels: NDArray[Any] = cv2.cvtColor(
        shown, cv2.COLOR_RGBA2BGRA if has_alpha else cv2.COLOR_RGB2BGR
    )
    return _placed(pixels, frame)


def _placed(pixels: ImageU8, frame: FirstFrame) -> ImageU8:
    """Return the canvas with the frame on it, as browsers show it.

    The canvas is transparent around the frame. Parts of the frame outside the canvas are cut off.

    Args:
        pixels: The frame, uint8 (H, W, 3) in BGR or (H, W, 4) in BGRA.
        frame: The position of the frame on its canvas.

    Returns:
        uint8 of the canvas's size, in BGRA if the frame does not cover the whole canvas, else with
        the channels of ``pixels``.
    """
    (width, height), (left, top) = frame.canvas, frame.place
    shown = pixels[: max(0, height - top), : max(0, width - left)]
    if (left, top) == (0, 0) and shown.shape[:2] == (height, width):
        return shown
    canvas = np.zeros((height, width, 4), np.uint8)
    target = canvas[top : top + shown.shape[0], left : left + shown.shape[1]]
    target[:, :, :3] = shown[:, :, :3]
    target[:, :, 3] = shown[:, :, 3] if shown.shape[2] == 4 else 255
    return canvas


def _read_png(data: bytes, pixels: NDArray[Any]) -> tuple[ImageU8, ImageU8 | None]:
    """Apply the transparent gray of a PNG, which OpenCV ignores."""
    gray = png.transparent_gray(data)
    if gray is None or pixels.ndim != 2:
        return _split(_eight_bits(pixels))
    value, largest = gray
    value *= max(1, 255 // largest)  # OpenCV scales 1, 2 and 4 bits to 8, and keeps 16
    alpha = np.where(pixels == value, 0, 255).astype(np.uint8)
    return _eight_bits(pixels), None if alpha.all() else alpha


def _eight_bits(pixels: NDArray[Any]) -> ImageU8:
    """Convert 16 bits to 8: v / 257, rounded to nearest."""
    if pixels.dtype == np.uint16:
        flat = pixels.reshape(pixels.shape[0], -1)
        pixels = cv2.convertScaleAbs(flat, alpha=1 / 257).reshape(pixels.shape)
    return pixels


def _stored_shape(header: ImageHeader) -> tuple[int, int]:
    """Return the rows and columns to decode, before rotation."""
    width, height = header.decoded_size
    return (width, height) if header.orientation >= 5 else (height, width)


def _split(pixels: NDArray[Any]) -> tuple[ImageU8, ImageU8 | None]:
    """Split colours and alpha; alpha is None if every pixel is opaque."""
    if pixels.ndim == 2 or pixels.shape[2] == 3:
        return pixels, None
    alpha: NDArray[Any] = cv2.extractChannel(pixels, 3)
    colours: NDArray[Any] = cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR)
    return colours, None if cv2.minMaxLoc(alpha)[0] == 255 else alpha
