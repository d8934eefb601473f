"""The box of the subject in the source's pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.datatypes import Box
from bgremove.matting.pyramid import halvings, shrink

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32

ALPHA = 0.1  # fainter pixels do not enlarge the crop
SPECK = 1e-3  # of the largest piece's area, as in `pieces`: smaller pieces are ignored
WORK_SIDE = 1024  # px: pieces are labelled at this size; gaps of up to 2 of its pixels are closed


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
