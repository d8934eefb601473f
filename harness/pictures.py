"""Drawn pictures to send."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Picture = npt.NDArray[np.uint8]


def ball(width: int = 96, height: int = 64) -> Picture:
    """Draw a white ball on black: BGR uint8 (H, W, 3)."""
    picture = np.zeros((height, width, 3), np.uint8)
    centre = (width // 2, height // 2)
    cv2.circle(picture, centre, min(width, height) // 4, (255, 255, 255), thickness=-1)
    return picture


def encoded(picture: Picture, extension: str = ".png") -> bytes:
    """Encode a picture in the format of the extension."""
    done, data = cv2.imencode(extension, picture)
    assert done
    return data.tobytes()
