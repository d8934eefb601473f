"""Reduce an exported network to plain float32: one output, fixed sizes, no shape arithmetic.

The exports carry six side outputs, hundreds of nodes that compute constant sizes, and (IS-Net)
half-precision weights between casts. Only the network itself is kept. The conversion uses only
integers and exact half-to-single conversions, so the bytes do not depend on the machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import onnx
import onnxruntime as ort
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from numpy.typing import NDArray

OPSET = 17  # per-channel scales need 13; Conv ... Sigmoid have the same meaning in all
IR_VERSION = 8  # the version for opset 17


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
