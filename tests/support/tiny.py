"""A network of one step, in a weights folder of its own: its subject is whatever is bright."""

from __future__ import annotations

import hashlib
from pathlib import Path

import cv2
import numpy as np
import onnx
from onnx import TensorProto, helper

from bgremove.datatypes import ImageU8

SIZE = 32
ROW = """
[models.{name}]
file = "{name}.onnx"
sha256 = "{sha256}"
bytes = {size_bytes}
licence = "none"
paper = "none"
input = "pixels"
output = "map"
size = {size}
mean = [0.0, 0.0, 0.0]
std = [1.0, 1.0, 1.0]
scaling = "full"
subjects = {subjects}
sources = []
known_answer = []
"""


def tiny_weights(folder: Path) -> Path:
    """Write a manifest and its files: ``tiny`` for universal, ``tiny-product``; human has none."""
    data = _network()
    digest = hashlib.sha256(data).hexdigest()
    rows = ['fallback = "tiny"\n']
    for name, subject in (
        ("tiny", "universal"),
        ("tiny-product", "product"),
        ("tiny-human", "human"),
    ):
        rows.append(
            ROW.format(
                name=name,
                sha256=digest,
                size_bytes=len(data),
                size=SIZE,
                subjects=f'["{subject}"]',
            )
        )
        if subject != "human":
            (folder / f"{name}.onnx").write_bytes(data)
    (folder / "manifest.toml").write_text("".join(rows))
    return folder


def _network() -> bytes:
    """Return ``map = mean(pixels, over channels)``: brightness, in [0, 1]."""
    node = helper.make_node("ReduceMean", ["pixels"], ["map"], axes=[1], keepdims=1)
    pixels = helper.make_tensor_value_info("pixels", TensorProto.FLOAT, [1, 3, SIZE, SIZE])
    result = helper.make_tensor_value_info("map", TensorProto.FLOAT, [1, 1, SIZE, SIZE])
    graph = helper.make_graph([node], "brightness", [pixels], [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def ball(width: int = 96, height: int = 64) -> ImageU8:
    """Draw a white ball on black: BGR uint8 (H, W, 3)."""
    picture = np.zeros((height, width, 3), np.uint8)
    centre = (width // 2, height // 2)
    cv2.circle(picture, centre, min(width, height) // 4, (255, 255, 255), thickness=-1)
    return picture


def encoded(picture: ImageU8, extension: str = ".png") -> bytes:
    """Encode a picture as what the extension says."""
    done, data = cv2.imencode(extension, picture)
    assert done
    return data.tobytes()
