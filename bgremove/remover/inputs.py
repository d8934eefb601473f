"""The picture types that the Python API accepts: paths, bytes, files, PIL images and arrays.

Encoded pictures stay encoded: like uploads, they are probed and decoded in a child process. Pixels
are checked and copied into the record that decoding returns.
"""

from __future__ import annotations

import io
import os
import re
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from bgremove.datatypes import DecodedImage, WarningCode
from bgremove.errors import ImageError
from bgremove.imaging.decoder.colour import is_carried
from bgremove.imaging.probe.limits import Limits, check_size, read_within

Picture: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | BinaryIO
    | Image.Image
    | NDArray[np.uint8]
)
PictureT = TypeVar("PictureT", bound=Picture)
ADDRESS = re.compile(r"[a-z][a-z0-9+.-]+://", re.IGNORECASE)
KINDS = "a path, bytes, a binary file, a PIL image or a NumPy array"


def read_picture(picture: Picture, limits: Limits) -> bytes | DecodedImage:
    """Return the bytes of a picture's file, or its pixels where it is decoded already.

    Args:
        picture: A path, the bytes of a file, a binary file, a PIL image, or an array as in
            `from_array`.
        limits: The limits of the service.

    Raises:
        ImageError: The picture is over a limit, or its pixel type is not supported.
        OSError: The file cannot be read.
        TypeError: ``picture`` is none of these.

    """
    if isinstance(picture, str) and ADDRESS.match(picture):
        raise ImageError(
            f"{picture} is an address, and the Python API reads no addresses: fetch the picture and"
            " give its bytes, or use the command `bgremove remove`"
        )
    if isinstance(picture, str | os.PathLike):
        with Path(picture).open("rb") as file:
            return _read(file, limits.max_upload_bytes)
    if isinstance(picture, bytes | bytearray | memoryview):
        return _read(io.BytesIO(picture), limits.max_upload_bytes)
    if isinstance(picture, Image.Image):
        return from_pil(picture, limits)
    if isinstance(picture, np.ndarray):
        return from_array(picture, limits)
    if hasattr(picture, "read"):
        return _read(picture, limits.max_upload_bytes)
    raise TypeError(f"a picture is {KINDS}, not {type(picture).__name__}")


def from_array(array: NDArray[Any], limits: Limits) -> DecodedImage:
    """Convert an array of pixels.

    Args:
        array: uint8 in [0, 255]: gray (H, W) or (H, W, 1), RGB (H, W, 3), or RGBA (H, W, 4) with
            straight alpha. Channels are in the order of PIL, not of OpenCV.
        limits: The limits of the service on the size.

    Raises:
        ImageError: The array has another shape or dtype, or is over a limit.

    """
    channels = 1 if array.ndim == 2 else array.shape[-1]
    if array.dtype != np.uint8 or array.ndim not in (2, 3) or channels not in (1, 3, 4):
        raise ImageError(
            "The array has to be uint8 of shape (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), not"
            f" {array.dtype} of shape {array.shape}"
        )
    height, width = array.shape[:2]
    if not array.size:
        raise ImageError(f"The array of shape {array.shape} has no pixels")
    check_size(width, height, limits)
    planes = array.reshape(height, width, channels)
    bgr = np.empty((height, width, 3), np.uint8)
    bgr[...] = planes[:, :, 2::-1] if channels >= 3 else planes
    if channels < 4 or (planes[:, :, 3] == 255).all():
        return DecodedImage(bgr)
    return DecodedImage(bgr, np.multiply(planes[:, :, 3], np.float32(1 / 255), dtype=np.float32))


def from_pil(image: Image.Image, limits: Limits) -> DecodedImage:
    """Convert a PIL image: its first frame, upright.

    An RGB colour profile is kept. Modes of more than 8 bits a channel (``I``, ``F``, ``I;16``) are
    refused, because they do not define the value of white.

    Raises:
        ImageError: The image is over a limit, damaged, or of an unsupported mode.

    """
    check_size(image.width, image.height, limits)
    if image.mode.startswith(("I", "F")):
        raise ImageError(
            f"The PIL image has mode {image.mode}; convert it to 8 bits first, so that its white"
            " is 255"
        )
    is_animation = getattr(image, "n_frames", 1) > 1
    try:
        upright = ImageOps.exif_transpose(image)
        rgba = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    except (OSError, SyntaxError, ValueError) as error:
        raise ImageError("The picture is damaged and cannot be read", private=str(error)) from error
    decoded = from_array(np.asarray(rgba), limits)
    profile = image.info.get("icc_profile")
    carried = profile if isinstance(profile, bytes) and is_carried(profile) else None
    return DecodedImage(
        decoded.bgr, decoded.alpha, carried, (WarningCode.FIRST_FRAME,) if is_animation else ()
    )


def _read(file: BinaryIO, max_bytes: int) -> bytes:
    if isinstance(file, io.TextIOBase):
        raise TypeError("the file is open as text; open it with mode 'rb'")
    return read_within(file, max_bytes)
