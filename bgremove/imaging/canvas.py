"""Place the first frame of an animation on its canvas."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from bgremove.datatypes import ImageU8
    from bgremove.imaging.probe.frame import FirstFrame


def placed(pixels: ImageU8, frame: FirstFrame) -> ImageU8:
    """Return the canvas with the frame on it, as browsers show it.

    The canvas is transparent around the frame. Parts of the frame outside the canvas are cut off.

    Args:
        pixels: The frame, uint8 (H, W, 3) in BGR or (H, W, 4) in BGRA.
        frame: The position of the frame on its canvas.

    Returns:
        uint8 of the canvas's size, in BGRA if the frame does not cover the whole canvas, else with
        the channels of ``pixels``.
    """
    (width, height), (left, top) = frame.canvas, frame.place
    shown = pixels[: max(0, height - top), : max(0, width - left)]
    if (left, top) == (0, 0) and shown.shape[:2] == (height, width):
        return shown
    canvas = np.zeros((height, width, 4), np.uint8)
    target = canvas[top : top + shown.shape[0], left : left + shown.shape[1]]
    target[:, :, :3] = shown[:, :, :3]
    target[:, :, 3] = shown[:, :, 3] if shown.shape[2] == 4 else 255
    return canvas
