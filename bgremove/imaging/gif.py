"""Decode the first frame of a GIF with Pillow."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.GifImagePlugin import GifImageFile

from bgremove.errors import ImageError
from bgremove.imaging.canvas import placed
from bgremove.imaging.probe import gif

if TYPE_CHECKING:
    from bgremove.datatypes import ImageU8


def read(data: bytes) -> ImageU8:
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
