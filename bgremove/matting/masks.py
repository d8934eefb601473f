"""Binary masks: their connected pieces, samples of their pixels, and shapes to dilate them with."""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ImageU8
from bgremove.matting.tiles import strips

Labels: TypeAlias = NDArray[np.int32]
Flags: TypeAlias = NDArray[np.bool_]

# OpenCV takes 36 bytes for each piece in each of its threads to measure them: 16 threads took
# 1.2 GB for 8 megapixels of dots. Noisy photographs on white have some thousands.
MOST_PIECES = 100_000


class PatternError(Exception):
    """A mask has more than MOST_PIECES pieces, as of dots, dither or a mesh: it is no graphic."""


def pieces(mask: ImageU8, connectivity: int) -> tuple[Labels, Labels]:
    """Label and measure the connected pieces of a mask, uint8 0 or 1.

    Args:
        mask: uint8 (H, W).
        connectivity: 4 or 8.

    Returns:
        The labels, int32 (H, W), 0 outside the mask, and OpenCV's box and area of each label,
        int32 (N, 5).

    Raises:
        PatternError: There are too many.

    """
    runs = np.count_nonzero(mask[:, 1:] > mask[:, :-1]) + np.count_nonzero(mask[:, 0])
    if runs > MOST_PIECES:  # each piece has a run of pixels in a row; counting is cheap
        count, _ = cv2.connectedComponents(mask, connectivity=connectivity)
        if count > MOST_PIECES:
            raise PatternError
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=connectivity)
    return np.asarray(labels, np.int32), np.asarray(stats, np.int32)


def sampled(mask: ImageU8 | Flags, most: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of ``most`` to twice as many set pixels, evenly chosen.

    A mask with fewer set pixels gives all of them. The mask is read in strips, because indices of
    all pixels at once would take 16 bytes each.
    """
    step = max(1, int(np.count_nonzero(mask)) // most)
    width, seen, chosen = mask.shape[1], 0, []
    for rows in strips(*mask.shape):
        points = np.flatnonzero(mask[rows])
        chosen.append(points[-seen % step :: step] + rows.start * width)
        seen += len(points)
    rows_, columns = np.divmod(np.concatenate(chosen), width)
    return rows_, columns


def hull_area(mask: ImageU8) -> float:
    """Return the area of the convex hull of a mask's set pixels."""
    rows = np.flatnonzero(mask.any(axis=1))
    left = mask[rows].argmax(axis=1)
    right = mask.shape[1] - 1 - mask[rows, ::-1].argmax(axis=1)
    ends = np.stack([np.concatenate([left, right]), np.concatenate([rows, rows])], axis=1)
    return float(cv2.contourArea(cv2.convexHull(ends.astype(np.int32))))


def square(side: int) -> ImageU8:
    """Return a square, uint8 of 1, to dilate and erode masks with."""
    return np.ones((side, side), np.uint8)


def disc(radius: int) -> ImageU8:
    """Return a disc, uint8 of 0 and 1, to dilate and erode masks with."""
    side = (2 * radius + 1, 2 * radius + 1)
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, side), np.uint8)
