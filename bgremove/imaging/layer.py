"""8-bit part of a cutout, with colours spread under transparency or composited on a ground."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from bgremove.datatypes import ArrayF32, Cutout, ImageU8
from bgremove.options import Colour

# px that the subject's colours extend under transparency. Programs that resize straight alpha read
# this far: bilinear 1, cubic 2, Lanczos 3. PNGs grow by 3.0 % (1 px: 1.3, 8 px: 5.2).
REACH = 3
# Neighbour offsets (down, right) within REACH, nearest first.
NEAREST = sorted(
    (
        (down, right)
        for down in range(-REACH, REACH + 1)
        for right in range(-REACH, REACH + 1)
        if 0 < down * down + right * right <= REACH * REACH
    ),
    key=lambda offset: (offset[0] ** 2 + offset[1] ** 2, offset),
)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """Colours and straight alpha in 8 bits.

    Attributes:
        bgr: uint8 (H, W, 3); undefined where alpha is 0.
        alpha: uint8 (H, W).
    """

    bgr: ImageU8
    alpha: ImageU8

    def straight(self) -> ImageU8:
        """Merge colours and alpha to BGRA uint8 (H, W, 4)."""
        bgra = np.empty((*self.alpha.shape, 4), np.uint8)
        planes = [np.ascontiguousarray(self.bgr), np.ascontiguousarray(self.alpha)]
        cv2.mixChannels(planes, [bgra], [0, 0, 1, 1, 2, 2, 3, 3])
        return bgra


def alpha_to_u8(alpha: ArrayF32) -> ImageU8:
    """Round alpha, float32 (H, W) in [0, 1], to uint8 (H, W) in [0, 255]."""
    return np.asarray(cv2.convertScaleAbs(alpha, alpha=255.0), dtype=np.uint8)


def window(cutout: Cutout, left: int, top: int, width: int, height: int) -> Layer:
    """Cut out a window: a view, or a copy padded with transparency beyond the picture."""
    rows, columns = cutout.alpha.shape
    y, x = max(0, top), max(0, left)
    bottom, right = min(rows, top + height), min(columns, left + width)
    if (x, y, right, bottom) == (left, top, left + width, top + height):
        return Layer(cutout.bgr[y:bottom, x:right], alpha_to_u8(cutout.alpha[y:bottom, x:right]))
    whole = Layer(np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8))
    if y < bottom and x < right:
        inside = (slice(y - top, bottom - top), slice(x - left, right - left))
        whole.bgr[inside] = cutout.bgr[y:bottom, x:right]
        whole.alpha[inside] = alpha_to_u8(cutout.alpha[y:bottom, x:right])
    return whole


def spread(layer: Layer) -> Layer:
    """Set transparent pixels within REACH of the subject to its nearest colour, others to black."""
    height, width = layer.alpha.shape
    bgr = np.asarray(cv2.copyTo(layer.bgr, layer.alpha), np.uint8)
    least, most, _, _ = cv2.minMaxLoc(layer.alpha)
    if least > 0 or most == 0:  # no pixel is transparent, or none has a colour to spread
        return Layer(bgr, layer.alpha)
    across = width + 2 * REACH
    is_subject = np.zeros((height + 2 * REACH, across), np.bool_)  # the border keeps indices valid
    inside = (slice(REACH, REACH + height), slice(REACH, REACH + width))
    np.greater(layer.alpha, 0, out=is_subject[inside])
    square = np.ones((2 * REACH + 1, 2 * REACH + 1), np.uint8)
    near = np.asarray(cv2.dilate(is_subject.view(np.uint8), square), np.bool_)
    near[is_subject] = False
    near[:REACH] = near[-REACH:] = near[:, :REACH] = near[:, -REACH:] = False
    waiting = np.flatnonzero(near)
    flat, is_subject = bgr.reshape(-1, 3), is_subject.ravel()
    for down, right in NEAREST:
        neighbours = waiting + (down * across + right)
        found = is_subject.take(neighbours)
        targets, sources = waiting[found], neighbours[found]
        flat[_within(targets, width)] = flat.take(_within(sources, width), axis=0)
        waiting = waiting[~found]
        if not waiting.size:
            break
    return Layer(bgr, layer.alpha)


def _within(positions: NDArray[np.intp], width: int) -> NDArray[np.intp]:
    """Convert flat positions in a picture with a border of REACH to positions without it."""
    rows, columns = np.divmod(positions, width + 2 * REACH)
    return (rows - REACH) * width + columns - REACH


def lay_on(layer: Layer, ground: Colour) -> ImageU8:
    """Composite a layer on a ground: BGR uint8 (H, W, 3), rounded once.

    Pixels with alpha 0 are exactly the ground. Pixels with alpha 255 are exactly the layer's.
    """
    height, width = layer.alpha.shape
    under = np.array([ground.blue, ground.green, ground.red], np.uint16)
    canvas = np.empty((height, width, 3), np.uint8)
    cv2.rectangle(canvas, (0, 0), (width, height), under.tolist(), cv2.FILLED)
    cv2.copyTo(layer.bgr, (layer.alpha == 255).view(np.uint8), canvas)
    partial = np.nonzero((layer.alpha > 0) & (layer.alpha < 255))
    share = layer.alpha[partial][:, np.newaxis].astype(np.uint16)
    canvas[partial] = (layer.bgr[partial] * share + under * (255 - share) + 127) // 255
    return canvas
