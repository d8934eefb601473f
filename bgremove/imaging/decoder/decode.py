"""Decode an uploaded picture to upright 8-bit pixels with separate alpha and known colours.

`child` runs this in a process of its own, under OpenCV's limits and those of `probe`.
"""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ImageHeader, ImageU8, WarningCode
from bgremove.imaging.decoder import colour, stored
from bgremove.imaging.decoder.planes import Planes

# By EXIF orientation. 1 is upright; 5 and 7 are mirrored about a diagonal.
ROTATIONS = {3: cv2.ROTATE_180, 6: cv2.ROTATE_90_CLOCKWISE, 8: cv2.ROTATE_90_COUNTERCLOCKWISE}
FLIPS = {2: 1, 4: 0}  # left to right, top to bottom


def decode_planes(data: bytes, header: ImageHeader) -> Planes:
    """Decode the first frame of a picture and turn it upright.

    ``header`` is the header returned by `probe` for ``data``. With an RGB profile the colours stay
    as stored, because the output carries the profile; otherwise they are in sRGB.
    Raises ImageError for damaged pictures, UpstreamError if memory runs out.
    """
    warnings = [WarningCode.FIRST_FRAME] if header.frames > 1 else []
    colours, alpha = stored.read(data, header)
    carries = False
    if header.icc_profile is not None:
        in_srgb = colour.converted(data, header, colours)
        carries = in_srgb is None and colour.is_carried(header.icc_profile)
        if in_srgb is not None:
            colours = in_srgb
        elif not carries:
            warnings.append(WarningCode.PROFILE_IGNORED)
    if colours.ndim == 2:
        colours = _gray_to_bgr(colours)
    if alpha is not None:
        alpha = turn(alpha, header.orientation)
    return Planes(turn(colours, header.orientation), alpha, carries, tuple(warnings))


def turn(pixels: ImageU8, orientation: int) -> ImageU8:
    """Turn pixels with an EXIF orientation of 1 to 8 upright.

    ``pixels`` is uint8 (H, W) or (H, W, C). Orientations 5 to 8 swap height and width.
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
