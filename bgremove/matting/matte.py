"""The alpha matte of the answer, from the saliency map, the picture and its own transparency."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.datatypes import MASK_THRESHOLD, Matte
from bgremove.matting.box import foreground_box
from bgremove.matting.pieces import misses_piece
from bgremove.matting.refine import FOG, at_full_size, refine

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, DecodedImage, ImageHeader

CLEAR_SHARE = 0.01  # of the picture that is transparent: rounded corners alone have less
FILLED = 0.985  # of its box: a larger share is a rectangle, perhaps a whole picture
FAINT = np.float32(8.5 / 255)  # of alpha: less is the noise that editors leave in the background
FLOATING = 0.1  # of the picture: a rectangle within so wide a transparent margin is cut out


def make_matte(saliency: ArrayF32, image: DecodedImage, header: ImageHeader) -> Matte | None:
    """Refine a saliency map to the alpha matte of a picture.

    Args:
        saliency: float32 (S, S) in [0, 1], stretched over the whole picture.
        image: the picture as decoded, perhaps smaller than stored.
        header: the picture's header; the matte has the size that it declares.

    Returns:
        The matte, or None where no pixel reaches MASK_THRESHOLD.
    """
    matte = matte_of(refine(saliency, image.bgr), image, header)
    return replace(matte, misses_piece=misses_piece(saliency, FOG)) if matte else None


def matte_of(drawn: ArrayF32, image: DecodedImage, header: ImageHeader) -> Matte | None:
    """Return an alpha as the matte of a picture.

    Args:
        drawn: float32 (H, W) in [0, 1], the size of the picture as decoded.
        image: the picture; its own transparency stays.
        header: the picture's header; the matte has the size that it declares.

    Returns:
        The matte, or None where no pixel reaches MASK_THRESHOLD.
    """
    drawn = at_full_size(drawn, header)
    alpha = drawn if image.alpha is None or drawn is image.alpha else drawn * image.alpha
    box = foreground_box(alpha)
    if box is None or cv2.minMaxLoc(alpha)[1] < MASK_THRESHOLD:
        return None
    return Matte(alpha, drawn, box)


def is_cut_out(alpha: ArrayF32) -> bool:
    """Return whether a picture's own alpha is that of a cut-out.

    A part of a cut-out is transparent, and the rest either does not fill its box, or has a wide
    margin on all four sides. A picture between two bands is not cut out.

    Args:
        alpha: float32 (H, W) in [0, 1], the alpha channel of the picture.
    """
    seen = (alpha > FAINT).view(np.uint8)
    left, top, width, height = cv2.boundingRect(seen)
    count = cv2.countNonZero(seen)
    if not count or count > (1 - CLEAR_SHARE) * seen.size:
        return False
    if count < FILLED * width * height:
        return True
    inside = min(left, top, seen.shape[1] - left - width, seen.shape[0] - top - height) > 0
    return inside and width * height <= (1 - FLOATING) * seen.size
