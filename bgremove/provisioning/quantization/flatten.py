"""Reduce an exported network to plain float32 without shape arithmetic, and open its axes.

The exports carry six side outputs, hundreds of nodes that compute constant sizes, and (IS-Net)
half-precision weights between casts. Only the network itself is kept. The conversion uses only
integers and exact half-to-single conversions, so the bytes do not depend on the machine.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime as ort
from numpy.typing import NDArray
from onnx import (
    GraphProto,
    ModelProto,
    NodeProto,
    TensorProto,
    ValueInfoProto,
    helper,
    numpy_helper,
    shape_inference,
)

OPSET = 17  # per-channel scales need 13; Conv ... Sigmoid have the same meaning in all
IR_VERSION = 8  # the version for opset 17
ROWS, COLUMNS = 2, 3  # axes of (N, C, H, W)


def flatten(source: Path) -> ModelProto:
    """Return the network of an exported ``.onnx`` file as a plain float32 model.

    The model keeps the input, the first output and the nodes between them. The size of every
    ``Resize`` becomes a constant. Half-precision weights become float32, and casts are removed.
    The order of nodes, the names of tensors and the values of weights do not change.
    """
    model = onnx.load(source)
    output = model.graph.output[0].name
    sizes = _resize_sizes(model)
    aliases = _cast_aliases(model.graph.node)
    aliases[aliases.get(output, output)] = output
    nodes = [_without_casts(node, aliases) for node in model.graph.node if node.op_type != "Cast"]
    nodes = _ancestors(nodes, output)
    used = {name for node in nodes for name in node.input}
    constants = [_float32(tensor) for tensor in model.graph.initializer if tensor.name in used]
    constants += [numpy_helper.from_array(sizes[name], name) for name in sizes if name in used]
    return model_of(model.graph, nodes, constants)


def model_of(
    graph: GraphProto, nodes: Iterable[NodeProto], constants: Iterable[TensorProto]
) -> ModelProto:
    """Build a model of the given nodes, from the input of ``graph`` to its first output."""
    made = helper.make_graph(
        list(nodes), graph.name, [graph.input[0]], [graph.output[0]], list(constants)
    )
    return helper.make_model(
        made,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="bgremove",
    )


def _resize_sizes(model: ModelProto) -> dict[str, NDArray[Any]]:
    """Run the network once on a blank input and read the size of each ``Resize``."""
    names = sorted({node.input[3] for node in model.graph.node if node.op_type == "Resize"})
    if not names:
        return {}
    probe = ModelProto()
    probe.CopyFrom(model)
    del probe.graph.output[:]
    probe.graph.output.extend(
        helper.make_tensor_value_info(name, TensorProto.INT64, None) for name in names
    )
    session = ort.InferenceSession(probe.SerializeToString(), providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    values = session.run(names, {given.name: np.zeros(given.shape, np.float32)})
    return dict(zip(names, values, strict=True))


def _cast_aliases(nodes: Iterable[NodeProto]) -> dict[str, str]:
    """Map the output of each cast to the input of the first cast of its chain."""
    aliases: dict[str, str] = {}
    pending = {node.output[0]: node.input[0] for node in nodes if node.op_type == "Cast"}
    for made in pending:
        origin = pending[made]
        while origin in pending:
            origin = pending[origin]
        aliases[made] = origin
    return aliases


def _without_casts(node: NodeProto, aliases: dict[str, str]) -> NodeProto:
    """Copy a node with its inputs before casts; a ``Resize`` keeps only its picture and size."""
    inputs = [aliases.get(name, name) for name in node.input]
    inputs = [aliases.get(name, name) for name in inputs]  # the output's own name comes second
    if node.op_type == "Resize":
        inputs = [inputs[0], "", "", node.input[3]]
    plain = NodeProto()
    plain.CopyFrom(node)
    del plain.input[:], plain.output[:]
    plain.input.extend(inputs)
    plain.output.extend(aliases.get(name, name) for name in node.output)
    return plain


def _ancestors(nodes: list[NodeProto], output: str) -> list[NodeProto]:
    """Return the nodes that ``output`` depends on, in order, with sizes as constants."""
    needed = {output}
    kept: list[NodeProto] = []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input[:3] if node.op_type == "Resize" else node.input)
    return kept[::-1]


def _float32(tensor: TensorProto) -> TensorProto:
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)


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
