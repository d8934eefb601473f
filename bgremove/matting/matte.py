"""The alpha matte of the answer, from the saliency map, the picture and its own transparency."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import cv2

from bgremove.datatypes import MASK_THRESHOLD, Matte
from bgremove.matting.box import foreground_box
from bgremove.matting.pieces import misses_piece
from bgremove.matting.refine import FOG, at_full_size, refine

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, DecodedImage, ImageHeader


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
