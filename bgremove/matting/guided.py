"""The guided filter's local linear models of alpha in colour."""

from __future__ import annotations

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, ImageU8

EPS = 1e-3  # variance of colours in [0, 1]: less is noise, not an edge


def linear_model(alpha: ArrayF32, bgr: ImageU8, reach: tuple[int, int]) -> list[ArrayF32]:
    """Fit alpha = (b, g, r) . slope + offset in a window around each pixel, and average the fits.

    Args:
        alpha: float32 (h, w) in [0, 1], the plane to fit.
        bgr: uint8 (h, w, 3), the guide.
        reach: radius of the window in pixels, (x, y).

    Returns:
        Four float32 (h, w): slopes for blue, green and red in [0, 1], and the offset.

    Source: He, Sun, Tang, "Guided Image Filtering", PAMI 2013, section 3.5 (colour guide).
    """
    window = (2 * reach[0] + 1, 2 * reach[1] + 1)

    def mean(plane: ArrayF32) -> ArrayF32:
        return cv2.blur(plane, window, borderType=cv2.BORDER_REFLECT)  # type: ignore[return-value]

    planes = [np.multiply(plane, np.float32(1 / 255)) for plane in cv2.split(bgr)]
    means = [mean(plane) for plane in planes]
    mean_alpha = mean(alpha)
    with_alpha = [
        mean(plane * alpha) - m * mean_alpha for plane, m in zip(planes, means, strict=True)
    ]
    between = {
        (i, j): mean(planes[i] * planes[j]) - means[i] * means[j]
        for i in range(3)
        for j in range(i, 3)
    }
    slopes = _solve(between, with_alpha)
    offset = mean_alpha - slopes[0] * means[0] - slopes[1] * means[1] - slopes[2] * means[2]
    return [mean(plane) for plane in (*slopes, offset)]


def _solve(
    covariance: dict[tuple[int, int], ArrayF32], right: list[ArrayF32]
) -> tuple[ArrayF32, ArrayF32, ArrayF32]:
    """Solve (covariance + EPS) x = right for each pixel by cofactors."""
    bb, gg, rr = (covariance[i, i] + np.float32(EPS) for i in range(3))
    bg, br, gr = covariance[0, 1], covariance[0, 2], covariance[1, 2]
    c00, c01, c02 = gg * rr - gr * gr, br * gr - bg * rr, bg * gr - br * gg
    c11, c12, c22 = bb * rr - br * br, bg * br - bb * gr, bb * gg - bg * bg
    scale = 1 / (bb * c00 + bg * c01 + br * c02)
    x, y, z = right
    return (
        (c00 * x + c01 * y + c02 * z) * scale,
        (c01 * x + c11 * y + c12 * z) * scale,
        (c02 * x + c12 * y + c22 * z) * scale,
    )
