"""Tiny networks that take the bright parts of a picture as the subject."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from bgremove.datatypes import ImageU8
from bgremove.inference.models import Manifest
from bgremove.options import Subject
from tests.support import graphs

MODELS = {
    "tiny": Subject.UNIVERSAL,
    "tiny-product": Subject.PRODUCT,
    "tiny-human": Subject.HUMAN,
}


def tiny_weights(folder: Path) -> Path:
    """Write a manifest and its files: ``tiny``, ``tiny-product``; that of human is missing."""
    rows = [graphs.put(folder, graphs.mean(), name=n, subjects=(s,)) for n, s in MODELS.items()]
    (folder / "tiny-human.onnx").unlink()
    graphs.write_manifest(folder, Manifest(tuple(rows), "tiny"))
    return folder


def ball(width: int = 96, height: int = 64) -> ImageU8:
    """Draw a white ball on black: BGR uint8 (H, W, 3)."""
    picture = np.zeros((height, width, 3), np.uint8)
    centre = (width // 2, height // 2)
    cv2.circle(picture, centre, min(width, height) // 4, (255, 255, 255), thickness=-1)
    return picture


def encoded(picture: ImageU8, extension: str = ".png") -> bytes:
    """Encode a picture in the format of the extension."""
    done, data = cv2.imencode(extension, picture)
    assert done
    return data.tobytes()
