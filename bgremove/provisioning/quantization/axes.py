"""Conversion of a flattened network to open axes, where each ``Resize`` has a scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from onnx import ModelProto, NodeProto, numpy_helper, shape_inference

if TYPE_CHECKING:
    from onnx import TensorProto, ValueInfoProto

ROWS, COLUMNS = 2, 3  # axes of (N, C, H, W)


def open_axes(model: ModelProto) -> ModelProto:
    """Return a flattened model that also accepts pictures of other sizes.

    One file, loaded once, then serves several sizes. The sides must be multiples of the product of
    all strides (32 for U²-Net and IS-Net), so that halved and doubled tensors have equal sizes.

    Raises:
        ValueError: A ``Resize`` does not enlarge by a whole factor.

    """
    opened = ModelProto()
    opened.CopyFrom(model)
    graph = opened.graph
    constants = {tensor.name: tensor for tensor in graph.initializer}
    shapes = _shapes(model)
    for node in graph.node:
        if node.op_type == "Resize":
            scale = _scale(node, constants, shapes)
            name = f"resize_by_{scale[ROWS]:g}x{scale[COLUMNS]:g}"
            if node.input[3] in constants:
                graph.initializer.remove(constants.pop(node.input[3]))
            if name not in constants:
                graph.initializer.append(numpy_helper.from_array(scale, name))
                constants[name] = graph.initializer[-1]
            del node.input[1:]
            node.input.extend(["", name])
    for value in (graph.input[0], graph.output[0]):
        _open(value)
    return opened


def _shapes(model: ModelProto) -> dict[str, list[int]]:
    """Infer the shapes of all tensors from the input's shape."""
    graph = shape_inference.infer_shapes(model, data_prop=True).graph
    values = [*graph.input, *graph.value_info, *graph.output]
    return {
        value.name: [axis.dim_value for axis in value.type.tensor_type.shape.dim]
        for value in values
    }


def _scale(
    node: NodeProto, constants: dict[str, TensorProto], shapes: dict[str, list[int]]
) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """Return the factors of a ``Resize``, float32 (4,), from its sizes before and after."""
    after = numpy_helper.to_array(constants[node.input[3]])
    before = np.array(shapes[node.input[0]])
    if not before.all() or (after % before).any():
        raise ValueError(f"{node.name} enlarges {before} to {after}, not by a whole factor")
    return np.asarray(after // before, np.float32)


def _open(value: ValueInfoProto) -> None:
    axes = value.type.tensor_type.shape.dim
    axes[ROWS].dim_param, axes[COLUMNS].dim_param = "height", "width"
