"""Test picture with a known answer, to detect damaged weights that still load (and give NaN)."""

from __future__ import annotations

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, DecodedImage
from bgremove.inference.models import GRID


def known_picture() -> DecodedImage:
    """Draw a striped ball on a blue gradient: uint8 (360, 480, 3), with integer arithmetic only."""
    y, x = np.mgrid[0:360, 0:480]
    bgr = np.stack([140 + y // 6, 120 + x // 8, 100 + (x + y) // 12], axis=2)
    distance = (x - 230) ** 2 + (y - 190) ** 2
    stripes = np.where((x + 2 * y) // 24 % 2 == 0, 40, 0)
    shade = 200 - distance // 160
    ball = np.stack([20 + stripes, shade // 3 + stripes, shade], axis=2)
    inside = (distance < 110**2)[..., np.newaxis]
    return DecodedImage(np.where(inside, ball, bgr).astype(np.uint8))


def answer_of(saliency: ArrayF32) -> ArrayF32:
    """Average a map, float32 (S, S), over GRID × GRID cells; return float32 (GRID * GRID,)."""
    cells = cv2.resize(saliency, (GRID, GRID), interpolation=cv2.INTER_AREA)
    return np.asarray(cells, dtype=np.float32).reshape(-1)
