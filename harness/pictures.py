"""Drawn pictures to send."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


def grain(width: int, height: int) -> Picture:
    """Draw a dark ground with slanted bands: BGR uint8 (H, W, 3).

    On a ground of one colour a subject is cut out by its colour, and no network runs. Bands
    compress well.
    """
    y, x = np.ogrid[:height, :width]
    bands = (x + 2 * y) // 8 % 8 < 3
    return np.repeat(bands.astype(np.uint8)[..., np.newaxis] * 12, 3, axis=2)


def ball(width: int = 96, height: int = 64) -> Picture:
    """Draw a white ball on a dark ground: BGR uint8 (H, W, 3)."""
    picture = grain(width, height)
    centre = (width // 2, height // 2)
    cv2.circle(picture, centre, min(width, height) // 4, (255, 255, 255), thickness=-1)
    return picture


def encoded(picture: Picture, extension: str = ".png") -> bytes:
    """Encode a picture in the format of the extension."""
    done, data = cv2.imencode(extension, picture)
    assert done
    return data.tobytes()
