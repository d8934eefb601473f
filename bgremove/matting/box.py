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

ALPHA = 0.1  # what is fainter than this is not worth a larger crop
SPECK = 1e-3  # of the largest piece's area, as in `pieces`: what is smaller does not count
WORK_SIDE = 1024  # px: pieces are told apart at this size, up to 2 of its pixels' gap joins them


def foreground_box(alpha: ArrayF32) -> Box | None:
    """Find the smallest box around the foreground, specks left out.

    Pieces are joined up and measured at reduced size, the four sides are exact.

    :param alpha: matte, float32 (H, W) in [0, 1].
    :return: box of the pixels over ALPHA, inside the picture; None when there are none.
    """
    height, width = alpha.shape
    level = halvings(max(height, width), WORK_SIDE)
    block = 1 << level
    # Whole blocks, so that the halving loses no row; what lies beyond the picture stays 0.
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
    """Return where the blocks, 0 or the more filled the higher, belong to a piece that counts."""
    count, labels = cv2.connectedComponents((blocks > 0).astype(np.uint8), connectivity=8)
    areas = np.bincount(labels.ravel(), weights=blocks.ravel(), minlength=count)
    areas[0] = 0
    large = areas >= areas.max() * SPECK
    large[0] = False
    return np.asarray(large[labels], np.bool_)


def _ends(kept: NDArray[np.bool_], mask: NDArray[np.uint8], block: int) -> tuple[int, int]:
    """Return the first row of ``mask`` set within kept blocks, and the one after the last."""
    rows = np.flatnonzero(kept.any(axis=1))

    def filled(row: int) -> NDArray[np.intp]:
        columns = np.repeat(kept[row], block)
        strip = mask[row * block : (row + 1) * block] != 0
        return np.flatnonzero((strip & columns).any(axis=1)) + row * block

    return int(filled(int(rows[0]))[0]), int(filled(int(rows[-1]))[-1]) + 1
