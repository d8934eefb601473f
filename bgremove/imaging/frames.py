"""Place the first frame of an animation on its canvas; decode that of a GIF with Pillow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.GifImagePlugin import GifImageFile

from bgremove.errors import ImageError
from bgremove.imaging.probe import gif

if TYPE_CHECKING:
    from bgremove.datatypes import FirstFrame, ImageU8


def read_gif(data: bytes) -> ImageU8:
    """Decode the first frame and place it on its canvas.

    Returns:
        uint8 (H, W, 3) in BGR, or (H, W, 4) in BGRA if the frame has a transparent colour or does
        not cover the canvas.

    Raises:
        ImageError: A row of the frame is missing, or its data is broken.
    """
    frame = gif.first_frame(data)
    try:
        with GifImageFile(io.BytesIO(frame.still)) as image:
            # One block for all data: Pillow restarts its decoder after each end code otherwise.
            image.decodermaxblock = len(frame.still)
            has_alpha = "transparency" in image.info
            shown = np.asarray(image.convert("RGBA" if has_alpha else "RGB"))
    except (OSError, SyntaxError, ValueError, IndexError, EOFError) as error:
        raise ImageError(
            "The GIF is damaged or cut short: its first frame cannot be read", private=repr(error)
        ) from error
    pixels: NDArray[Any] = cv2.cvtColor(
        shown, cv2.COLOR_RGBA2BGRA if has_alpha else cv2.COLOR_RGB2BGR
    )
    return placed(pixels, frame)


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
