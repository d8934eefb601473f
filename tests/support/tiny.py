"""Tiny networks that take the bright parts of a picture as the subject."""

from __future__ import annotations

from pathlib import Path

from bgremove.inference.models import Manifest
from bgremove.options import Subject
from harness.pictures import ball, encoded
from tests.support import graphs

__all__ = ["MODELS", "ball", "encoded", "tiny_weights"]

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
