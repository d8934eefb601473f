"""An exported network as a plain float32 graph: one output, fixed sizes, no shape arithmetic.

The exports carry six side outputs, hundreds of nodes that work out sizes which never change, and
(IS-Net) half-precision weights between casts. What is left here is the network alone. Integers
and exact half-to-single conversions are all that is computed, so the bytes do not depend on the
machine.
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

OPSET = 17  # 13 is the least that has per-channel scales; Conv ... Sigmoid mean the same in all
IR_VERSION = 8  # belongs to opset 17


def flatten(source: Path) -> ModelProto:
    """Return the network of an exported ``.onnx`` file as a plain float32 model.

    Kept are the input, the first output and the nodes between them; every ``Resize`` has its
    size as a constant; half-precision weights become float32 and casts go. The order of nodes,
    the names of tensors and the values of weights are those of the file.
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
    """Return a model of the given nodes, from the input of ``graph`` to its first output."""
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
    """Run the network once, on nothing, and read what size each ``Resize`` was asked for."""
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
    """Map what a cast makes to what went into the first of a chain of casts."""
    aliases: dict[str, str] = {}
    pending = {node.output[0]: node.input[0] for node in nodes if node.op_type == "Cast"}
    for made in pending:
        origin = pending[made]
        while origin in pending:
            origin = pending[origin]
        aliases[made] = origin
    return aliases


def _without_casts(node: NodeProto, aliases: dict[str, str]) -> NodeProto:
    """Copy a node, reading past casts; a ``Resize`` keeps its picture and its size alone."""
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
    """Return the nodes that ``output`` needs, in their order, sizes being constants."""
    needed = {output}
    kept: list[NodeProto] = []
    for node in reversed(nodes):
        if needed.intersection(node.output):
            kept.append(node)
            needed.update(node.input[:3] if node.op_type == "Resize" else node.input)
    return kept[::-1]


def _float32(tensor: TensorProto) -> TensorProto:
    return numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float32), tensor.name)
