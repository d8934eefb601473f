"""Static int8 quantisation of a saliency network, from its float32 file and a table of ranges.

Convolutions run on uint8 activations (one scale per tensor) and int8 weights (one scale per output
channel). Tensors joined by pooling, upsampling or concatenation share a scale, so these nodes do
not change any value. A ``Relu`` after a convolution costs nothing: its range begins at 0, the lower
bound of uint8. No pictures are needed, and the same file, table, recipe and tool versions give the
same bytes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import onnx
from onnx import ModelProto, NodeProto

from bgremove.provisioning.quantization.flatten import flatten, model_of, open_axes
from bgremove.provisioning.quantization.qdq import Writer
from bgremove.provisioning.quantization.scales import TYING, Ranges, Scale, scales_of

INT8 = TYING | {"Conv", "Add"}
HELD = frozenset({"MaxPool", "Concat"})  # not Resize, which is slower in uint8 and truncates


@dataclass(frozen=True, slots=True)
class Recipe:
    """The nodes of a network kept finer than eight bits, and a flag for open axes.

    Node names may contain ``*`` and ``?``.
    """

    float_nodes: tuple[str, ...] = ()
    stepped_nodes: tuple[str, ...] = ()
    any_size: bool = False

    def is_int8(self, node: NodeProto) -> bool:
        """Return whether a node computes in int8."""
        return node.op_type in INT8 and not _matches(node, self.float_nodes)

    def is_stepped(self, node: NodeProto) -> bool:
        """Return whether a node computes in int8 but outputs float32, see ``Writer.stepped``."""
        return _matches(node, self.stepped_nodes)


def build_int8(source: Path, ranges: Ranges, target: Path, recipe: Recipe) -> None:
    """Write the int8 form of the exported network ``source`` to ``target``.

    ``ranges`` holds (low, high) of the input and of the output of each convolution and sum (after
    its ``Relu``). Raises ``KeyError`` if a range is missing, ``onnx.checker.ValidationError`` if
    the recipe gives an invalid network.
    """
    network = flatten(source)
    if recipe.any_size:
        network = open_axes(network)
    onnx.save(quantize(network, ranges, recipe), target)


def quantize(model: ModelProto, ranges: Ranges, recipe: Recipe) -> ModelProto:
    """Return the int8 form of a flattened float32 model."""
    nodes = _merge_relus(model, recipe)
    scales = scales_of([node for node in nodes if recipe.is_int8(node)], ranges)
    _check_relus(model, scales)
    writer = Writer(model, scales)
    for node in nodes:
        if not recipe.is_int8(node):
            writer.real(node)
        elif recipe.is_stepped(node):
            writer.stepped(node, ranges[node.output[0]])
        elif node.op_type == "Conv":
            writer.convolution(node)
        elif node.op_type in HELD:
            writer.held(node)
        else:
            writer.between(node)
    built = model_of(model.graph, writer.nodes, writer.constants.values())
    onnx.checker.check_model(built, full_check=True)
    return built


def _matches(node: NodeProto, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(node.name, pattern) for pattern in patterns)


def _merge_relus(model: ModelProto, recipe: Recipe) -> list[NodeProto]:
    """Return the nodes, with each ``Relu`` merged into its int8 convolution where possible."""
    readers = Counter(name for node in model.graph.node for name in node.input)
    merged = {
        node.output[0]: node
        for node in model.graph.node
        if node.op_type == "Conv" and recipe.is_int8(node) and readers[node.output[0]] == 1
    }
    nodes: dict[str, NodeProto] = {}
    for node in model.graph.node:
        kept = NodeProto()
        if node.op_type == "Relu" and node.input[0] in merged:
            kept.CopyFrom(nodes.pop(node.input[0]))
            kept.output[0] = node.output[0]
        else:
            kept.CopyFrom(node)
        nodes[kept.output[0]] = kept
    return list(nodes.values())


def _check_relus(model: ModelProto, scales: Mapping[str, Scale]) -> None:
    """Raise ``ValueError`` if uint8 does not clip below 0 in place of a removed ``Relu``."""
    for node in model.graph.node:
        scale = scales.get(node.output[0])
        if node.op_type == "Relu" and scale is not None and scale.zero:
            raise ValueError(f"{node.output[0]}: a Relu shares its scale with values below 0")
