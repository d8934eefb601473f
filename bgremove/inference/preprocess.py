"""Conversion of pixels to the input tensor of a network."""

from __future__ import annotations

import cv2
import numpy as np

from bgremove.datatypes import ArrayF32, DecodedImage, ImageU8
from bgremove.inference.models import Model

WHITE, DARK = 255.0, 64.0  # backings for transparent sources; a peak of 0 cannot be scaled


def to_tensor(image: DecodedImage, model: Model) -> ArrayF32:
    """Convert ``image`` to the input of ``model``: resize, convert to RGB, scale, normalise.

    Args:
        image: bgr uint8 (H, W, 3) and alpha float32 (H, W) or None.
        model: Gives size S, scaling, mean and std (RGB).

    Returns:
        float32 (1, 3, S, S), RGB, C-contiguous.

    Source: U²-Net's `RescaleT` and `ToTensorLab`, doi:10.1016/j.patcog.2020.107404; area
    averaging in place of its point sampling, which aliases on pictures far larger than S.

    """
    if image.alpha is None:
        small = _resized(image.bgr, model.size)
    else:
        small = _over_backing(image.bgr, image.alpha, model.size)
    pixels = cv2.cvtColor(small, cv2.COLOR_BGR2RGB).astype(np.float32)
    scale = max(float(pixels.max()), 1.0) if model.scaling == "peak" else 255.0
    mean, std = np.asarray(model.mean, np.float32), np.asarray(model.std, np.float32)
    pixels *= 1 / (scale * std)
    pixels -= mean / std
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[np.newaxis])


def _resized(array: ImageU8, size: int) -> ImageU8:
    """Shrink sides longer than ``size`` by area averaging, then enlarge shorter sides.

    In a single step OpenCV would use point sampling on a panorama, because one of its sides grows.
    Large pictures are halved first: OpenCV's code for that is ten times as fast.
    """
    height, width = array.shape[:2]
    while min(height, width) >= 4 * size:
        even = array[: height & ~1, : width & ~1]
        array = cv2.resize(even, (width // 2, height // 2), interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        height, width = array.shape[:2]
    shrunk = cv2.resize(array, (min(width, size), min(height, size)), interpolation=cv2.INTER_AREA)
    grown = cv2.resize(shrunk, (size, size), interpolation=cv2.INTER_LINEAR)
    return np.asarray(grown, dtype=np.uint8)


def _over_backing(bgr: ImageU8, alpha: ArrayF32, size: int) -> ImageU8:
    """Composite a transparent source on white, or on dark gray if its visible part is light.

    The network never receives colours under zero alpha, and a white product does not vanish on a
    white ground.
    """
    alpha_u8 = np.rint(alpha * np.float32(255)).astype(np.uint8)
    visible = cv2.multiply(bgr, cv2.merge([alpha_u8] * 3), scale=1 / 255)
    weight = _resized(alpha_u8, size)[..., np.newaxis] / np.float32(255)
    shown = _resized(np.asarray(visible, dtype=np.uint8), size).astype(np.float32)
    mean = float(shown.sum() / max(float(weight.sum()) * 3, 1e-6))
    backing = DARK if mean > 128 else WHITE
    over = shown + backing * (1 - weight)
    return np.clip(np.rint(over), 0, 255).astype(np.uint8)
