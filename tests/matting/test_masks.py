"""Pieces, samples and hulls of masks, against plain computations."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from bgremove.matting.masks import MOST_PIECES, PatternError, hull_area, pieces, sampled


def test_pieces_are_labelled_and_measured() -> None:
    mask = np.zeros((50, 60), np.uint8)
    mask[2:10, 3:5] = mask[10:12, 5:9] = mask[30, 40] = 1  # the first two touch at a corner
    labels, stats = pieces(mask, connectivity=8)
    assert [tuple(row) for row in stats[1:]] == [(3, 2, 6, 10, 24), (40, 30, 1, 1, 1)]
    assert np.array_equal(labels > 0, mask > 0)
    assert len(pieces(mask, connectivity=4)[1]) == 4


def test_too_many_pieces_are_a_pattern_and_long_lines_are_not() -> None:
    """OpenCV would take 36 bytes for each of the pieces in each of its threads."""
    side = 2 * int(np.sqrt(MOST_PIECES) + 1)
    dots = np.zeros((side, side), np.uint8)
    dots[::2, ::2] = 1
    with pytest.raises(PatternError):
        pieces(dots, connectivity=8)
    lines = np.zeros((side, side), np.uint8)
    lines[:, ::2] = 1
    assert len(pieces(lines, connectivity=8)[1]) == side // 2 + 1


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 1.0])
@pytest.mark.parametrize("most", [1, 7, 1000, 10**6])
def test_samples_are_every_so_many_th_set_pixel(share: float, most: int) -> None:
    mask = np.random.default_rng(3).random((700, 900)) < share  # more than one strip
    points = np.flatnonzero(mask)
    expected = points[:: max(1, len(points) // most)]
    rows, columns = sampled(mask, most)
    assert np.array_equal(rows * 900 + columns, expected)


@pytest.mark.parametrize("seed", range(20))
def test_the_hull_of_a_mask_is_that_of_all_its_pixels(seed: int) -> None:
    mask = (np.random.default_rng(seed).random((40, 30)) < 0.01 * (seed + 1)).astype(np.uint8)
    mask[seed, seed] = 1
    assert hull_area(mask) == cv2.contourArea(cv2.convexHull(cv2.findNonZero(mask)))
