"""A network of three convolutions, exported as untidily as the real ones are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 16


def write_export(folder: Path) -> Path:
    """A network like an export: a skip, a sum, shape arithmetic, casts, a side output."""
    conv: dict[str, Any] = {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}
    nodes = [
        helper.make_node("Conv", ["x", "w1", "b1"], ["c1"], "first", **conv),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["p1"], "pool", kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p1", "w2", "b2"], ["c2"], "second", **conv),
        helper.make_node("Relu", ["c2"], ["r2"]),
        helper.make_node("Shape", ["r1"], ["size"]),
        helper.make_node("Cast", ["r2"], ["r2_cast"], to=TensorProto.FLOAT),
        helper.make_node("Resize", ["r2_cast", "", "", "size"], ["up"], "up", mode="linear"),
        helper.make_node("Concat", ["up", "r1"], ["both"], "join", axis=1),
        helper.make_node("Conv", ["both", "w3", "b3"], ["c3"], "third", **conv),
        helper.make_node("Relu", ["c3"], ["r3"]),
        helper.make_node("Add", ["r3", "r1"], ["sum"], "add"),
        helper.make_node("Conv", ["sum", "w4", "b4"], ["logit"], "side", **conv),
        helper.make_node("Cast", ["logit"], ["logit_cast"], to=TensorProto.FLOAT),
        helper.make_node("Sigmoid", ["logit_cast"], ["y_cast"], "end"),
        helper.make_node("Cast", ["y_cast"], ["y"], to=TensorProto.FLOAT),
        helper.make_node("Sigmoid", ["c2"], ["side_output"]),
    ]
    shapes = {"1": (16, 3, 3, 3), "2": (16, 16, 3, 3), "3": (16, 32, 3, 3), "4": (1, 16, 3, 3)}
    constants = [_constant(f"w{key}", *shape) for key, shape in shapes.items()]
    constants += [_constant(f"b{key}", shape[0]) for key, shape in shapes.items()]
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        nodes,
        "tiny",
        [value("x", TensorProto.FLOAT, [1, 3, SIDE, SIDE])],
        [
            value("y", TensorProto.FLOAT, [1, 1, SIDE, SIDE]),
            value("side_output", TensorProto.FLOAT, None),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    onnx.save(model, folder / "tiny.onnx")
    return folder / "tiny.onnx"


def _constant(name: str, *shape: int) -> TensorProto:
    rng = np.random.default_rng(len(name) + sum(shape))
    return numpy_helper.from_array(rng.normal(0, 0.3, shape).astype(np.float32), name)
