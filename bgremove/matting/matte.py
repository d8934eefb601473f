"""The alpha matte of the answer, from the saliency map, the picture and its own transparency."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import MASK_THRESHOLD, ArrayF32, Box, DecodedImage, ImageHeader, Matte
from bgremove.matting.pieces import misses_piece
from bgremove.matting.pyramid import halvings, shrink
from bgremove.matting.refine import FOG, at_full_size, refine

CLEAR_SHARE = 0.01  # of the picture that is transparent: rounded corners alone have less
FILLED = 0.985  # of its box: a larger share is a rectangle, perhaps a whole picture
FAINT = np.float32(8.5 / 255)  # of alpha: less is the noise that editors leave in the background
FLOATING = 0.1  # of the picture: a rectangle within a transparent margin of this area is cut out
ALPHA = 0.1  # fainter pixels do not enlarge the crop
SPECK = 1e-3  # of the largest piece's area, as in `pieces`: smaller pieces are ignored
WORK_SIDE = 1024  # px: pieces are labelled at this size; gaps of up to 2 of its pixels are closed


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
    """Make the matte of a picture from an alpha.

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


def foreground_box(alpha: ArrayF32) -> Box | None:
    """Find the smallest box around the foreground, without specks.

    Pieces are joined and measured at reduced size; the four sides are exact.

    Args:
        alpha: matte, float32 (H, W) in [0, 1].

    Returns:
        The box of the pixels over ALPHA, inside the picture; None when there are none.
    """
    height, width = alpha.shape
    level = halvings(max(height, width), WORK_SIDE)
    block = 1 << level
    # Whole blocks, so that halving loses no row; the padding beyond the picture is 0.
    mask = np.zeros((-(-height // block) * block, -(-width // block) * block), np.uint8)
    np.greater(alpha, ALPHA, out=mask[:height, :width].view(np.bool_))
    mask *= 255
    kept = _large_pieces(shrink(mask, level))
    if not kept.any():
        return None
    top, bottom = _ends(kept, mask, block)
    left, right = _ends(kept.T, mask.T, block)
    return Box(top=top, left=left, width=right - left, height=bottom - top)


def _large_pieces(blocks: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Mark the blocks of pieces that are not specks; a block's value is how full it is, 0 empty."""
    count, labels = cv2.connectedComponents((blocks > 0).astype(np.uint8), connectivity=8)
    areas = np.bincount(labels.ravel(), weights=blocks.ravel(), minlength=count)
    areas[0] = 0
    large = areas >= areas.max() * SPECK
    large[0] = False
    return np.asarray(large[labels], np.bool_)


def _ends(kept: NDArray[np.bool_], mask: NDArray[np.uint8], block: int) -> tuple[int, int]:
    """Return the first row of ``mask`` set within kept blocks, and the row after the last."""
    rows = np.flatnonzero(kept.any(axis=1))

    def filled(row: int) -> NDArray[np.intp]:
        columns = np.repeat(kept[row], block)
        strip = mask[row * block : (row + 1) * block] != 0
        return np.flatnonzero((strip & columns).any(axis=1)) + row * block

    return int(filled(int(rows[0]))[0]), int(filled(int(rows[-1]))[-1]) + 1
