"""Pictures with large answers, and large pictures."""

from __future__ import annotations

import functools
import struct
import zlib

import cv2
import numpy as np

from bgremove.settings import Settings
from harness.forms import file, form
from harness.pictures import Picture, encoded, grain


def noisy_ball(width: int, height: int) -> bytes:
    """Return a PNG of a ball of noise on a dark ground; it and its cut-out do not compress."""
    inside = np.zeros((height, width, 3), np.uint8)
    cv2.circle(inside, (width // 2, height // 2), 9 * height // 20, (1, 1, 1), thickness=-1)
    noise = np.random.default_rng(1).integers(100, 256, inside.shape, np.uint8)
    return encoded(np.where(inside == 1, noise, grain(width, height)))


SIDES = (8650, 5780)  # 50 megapixels, near the limit
MAX_BYTES = Settings().max_upload_bytes
PNG_HEADER = 33  # bytes of the signature and the IHDR chunk


@functools.cache
def large_picture(kind: str = ".jpg") -> bytes:
    """Return the form of a picture near the pixel limit, with a subject that fills it."""
    return form(file("image", encoded(_large(), kind)))


def _large() -> Picture:
    width, height = SIDES
    picture = grain(width, height)
    cv2.circle(picture, (width // 2, height // 2), height // 3, (210, 220, 250), thickness=-1)
    return picture


def padded_picture() -> bytes:
    """Return the form of a PNG near the limits of pixels and bytes, with a chunk of padding."""
    picture = encoded(_large(), ".png")
    size = MAX_BYTES - len(picture) - 12
    chunk = b"prVt" + bytes(size)
    padding = struct.pack(">I", size) + chunk + struct.pack(">I", zlib.crc32(chunk))
    return form(file("image", picture[:PNG_HEADER] + padding + picture[PNG_HEADER:]))


@functools.cache
def noisy_picture() -> bytes:
    """Return the form of a picture that is large in bytes, as its answer is."""
    return form(file("image", noisy_ball(2400, 1800)))
