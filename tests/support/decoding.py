"""Decode a picture in this process, as a decoder does in its own."""

from __future__ import annotations

import numpy as np

from bgremove.datatypes import DecodedImage, ImageHeader
from bgremove.imaging.decoder.decode import decode_planes
from bgremove.imaging.decoder.planes import finished
from bgremove.imaging.probe import probe
from tests.support.pictures import limits

LIMITS = limits()


def decode(data: bytes, header: ImageHeader) -> DecodedImage:
    """Decode a picture accepted by `probe`."""
    return finished(decode_planes(data, header), header)


def decoded(data: bytes) -> DecodedImage:
    """Probe and decode a file."""
    return decode(data, probe(data, LIMITS))


def rgba(data: bytes) -> np.ndarray:
    """Return the pixels of a file, straight RGBA uint8 (H, W, 4)."""
    image = decoded(data)
    alpha = np.ones(image.bgr.shape[:2]) if image.alpha is None else image.alpha
    return np.dstack([image.bgr[:, :, ::-1], np.rint(alpha * 255).astype(np.uint8)])
