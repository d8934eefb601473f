"""Turn an uploaded picture into pixels: the right way up, 8 bits, alpha apart, colours known.

In a server this runs in a process of its own (`decoder_child`), which has OpenCV's own limits set;
called directly, it has only those of `probe`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import DecodedImage, ImageHeader, Notice
from bgremove.imaging import colour, stored
from bgremove.imaging.planes import Planes, finished

if TYPE_CHECKING:
    from bgremove.datatypes import ImageU8

# By EXIF orientation; the rest is upright or, 5 and 7, mirrored about a diagonal.
ROTATIONS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
FLIPS = {2: 1, 4: 0}  # left to right, top to bottom


def decode(data: bytes, header: ImageHeader) -> DecodedImage:
    """Decode a picture that `probe` let in; see `decode_planes`."""
    return finished(decode_planes(data, header), header)


def decode_planes(data: bytes, header: ImageHeader) -> Planes:
    """Decode the first frame of a picture and turn it upright.

    ``header`` is what `probe` returned for ``data``. Under an RGB profile, which is to be carried,
    the colours are as stored; else they are in sRGB.
    Raises ImageError for damaged pictures, UpstreamError where memory runs out.
    """
    warnings = [Notice.FIRST_FRAME] if header.frames > 1 else []
    colours, alpha = stored.read(data, header)
    carries = False
    if header.icc_profile is not None:
        in_srgb = colour.converted(data, header, colours)
        carries = in_srgb is None and colour.is_carried(header.icc_profile)
        if in_srgb is not None:
            colours = in_srgb
        elif not carries:
            warnings.append(Notice.PROFILE_IGNORED)
    if colours.ndim == 2:
        colours = _gray_to_bgr(colours)
    if alpha is not None:
        alpha = turn(alpha, header.orientation)
    return Planes(turn(colours, header.orientation), alpha, carries, tuple(warnings))


def turn(pixels: ImageU8, orientation: int) -> ImageU8:
    """Return pixels stored in an EXIF orientation of 1 to 8 the right way up.

    ``pixels`` is uint8 (H, W) or (H, W, C); the result is the same, or (W, H) from 5 on.
    """
    upright: NDArray[Any] = pixels
    if orientation in (5, 7):
        upright = cv2.transpose(pixels)
    if orientation in FLIPS:
        upright = cv2.flip(pixels, FLIPS[orientation])
    elif orientation in ROTATIONS or orientation == 7:
        upright = cv2.rotate(upright, ROTATIONS.get(orientation, cv2.ROTATE_180))
    return np.ascontiguousarray(upright)


def _gray_to_bgr(gray: ImageU8) -> ImageU8:
    bgr: NDArray[Any] = cv2.cvtColor(gray, cv2.COLOR_GRAY2BGR)
    return bgr
