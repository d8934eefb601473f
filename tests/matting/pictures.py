"""Pictures whose right answer can be computed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, ImageU8

RED, GREEN = (30, 40, 200), (60, 170, 80)  # BGR, far apart


def disc(height: int, width: int, radius: float, softness: float = 0.5) -> ArrayF32:
    """Return the alpha of a disc in the middle, its edge a ramp ``softness`` pixels each way."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    away = np.hypot(x - (width - 1) / 2, y - (height - 1) / 2)
    return np.clip((radius - away) / (2 * softness) + 0.5, 0, 1, dtype=np.float32)


def flat(height: int, width: int, colour: tuple[int, int, int]) -> ImageU8:
    """Return one colour everywhere."""
    return np.full((height, width, 3), colour, np.uint8)


def textured(height: int, width: int, seed: int = 0) -> ImageU8:
    """Return squares of 16 pixels in random colours around GREEN."""
    rng = np.random.default_rng(seed)
    cells = rng.integers(-50, 50, (-(-height // 16), -(-width // 16), 1)) + np.array(GREEN)
    large = cells.repeat(16, axis=0).repeat(16, axis=1)
    return large[:height, :width].clip(0, 255).astype(np.uint8)


def mix(fore: ImageU8, back: ImageU8, alpha: ArrayF32) -> ImageU8:
    """Lay ``fore`` over ``back``."""
    share = alpha[..., None]
    return np.rint(fore * share + back * (1 - share)).astype(np.uint8)


def saliency_of(alpha: ArrayF32, side: int = 80) -> ArrayF32:
    """Return what a good network would say: the alpha at ``side`` squared, somewhat blurred."""
    small = cv2.resize(alpha, (side, side), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), 0.7), np.float32)
