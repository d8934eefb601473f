"""Writer of quantised graphs in the form that ONNX Runtime converts to int8 kernels.

A computing node is between ``DequantizeLinear`` and ``QuantizeLinear``; ONNX Runtime fuses the
three into one kernel. A node that only moves values reads and writes uint8 directly.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from onnx import ModelProto, NodeProto, TensorProto, helper, numpy_helper

from bgremove.provisioning.quantization.scales import LIMIT, STEPS, Scale, round_weights

MAX_BIAS = 2**30  # in steps; the bias and the sum of products share an int32 accumulator
STAIRS = 16  # channels of a stepped convolution: 16 x 255 steps, twelve bits


class Writer:
    """Writer of a flattened model's nodes in quantised form; the caller chooses each form."""

    def __init__(self, model: ModelProto, scales: Mapping[str, Scale]) -> None:
        self.nodes: list[NodeProto] = []
        self.constants: dict[str, TensorProto] = {}
        self._scales = dict(scales)
        self._floats = {tensor.name: tensor for tensor in model.graph.initializer}
        self._made: set[str] = set()

    def real(self, node: NodeProto) -> None:
        """Write a node that stays float32."""
        self._copy(node, [self._as_real(name) for name in node.input], node.output[0])

    def between(self, node: NodeProto) -> None:
        """Write a node between conversions, without int8 weights."""
        inputs = [
            self._from_held(name) if name in self._scales else self._as_real(name)
            for name in node.input
        ]
        self._copy(node, inputs, node.output[0])
        self._as_held(node.output[0])

    def held(self, node: NodeProto) -> None:
        """Write a node that moves uint8 values unchanged."""
        self._copy(node, [self._as_held(name) for name in node.input], f"{node.output[0]}_held")

    def convolution(self, node: NodeProto) -> None:
        """Write a convolution between conversions, with int8 weights."""
        weights, bias = (self._array(name) for name in node.input[1:])
        self._convolution(node, weights, bias, node.output[0])
        self._as_held(node.output[0])

    def stepped(self, node: NodeProto, span: tuple[float, float]) -> None:
        """Write a one-channel int8 convolution whose float32 result is finer than eight bits.

        The channel is computed ``STAIRS`` times. Each copy covers one part of the range ``span``.
        It is empty below that part and full above it, so the sum of all copies is the result.
        Kernels always compute vectors of 16 channels, so this costs no more than one channel.
        """
        made, low = node.output[0], np.float32(span[0])
        step = np.float32((span[1] - span[0]) / (STEPS * STAIRS))
        stairs = f"{made}_stairs"
        self._scales[stairs] = Scale(stairs, step, np.uint8(0))
        weights, bias = (self._array(name) for name in node.input[1:])
        starts = low + step * STEPS * np.arange(STAIRS, dtype=np.float32)
        self._convolution(node, weights.repeat(STAIRS, axis=0), bias - starts, stairs)
        self._as_held(stairs)
        axes = self._add(f"{made}_axes", np.array([1], np.int64))
        self._node("ReduceSum", [self._from_held(stairs), axes], f"{made}_sum")
        self._node("Add", [f"{made}_sum", self._add(f"{made}_low", low)], made)

    def _convolution(
        self, node: NodeProto, weights: NDArray[np.float32], bias: NDArray[np.float32], made: str
    ) -> None:
        """Write a convolution with the given weights (O, I, H, W) and bias (O,), and a new name."""
        step = self._scales[node.input[0]].step
        scales = _weight_scales(weights, bias, step)
        bias_steps = np.rint(bias / (scales * step)).astype(np.int32)
        inputs = [
            self._from_held(node.input[0]),
            self._weights(f"{made}_weights", round_weights(weights, scales), scales),
            self._weights(f"{made}_bias", bias_steps, scales * step),
        ]
        self._copy(node, inputs, made)

    def _weights(self, name: str, steps: NDArray[Any], scales: NDArray[np.float32]) -> str:
        """Add weights in steps, one scale per output channel; return the name of their values."""
        given = [
            self._add(f"{name}_steps", steps),
            self._add(f"{name}_scales", scales),
            self._add(f"{name}_zeros", np.zeros(len(scales), steps.dtype)),
        ]
        return self._node("DequantizeLinear", given, name, axis=0)

    def _as_held(self, name: str) -> str:
        """Return the name of a tensor's uint8 form, converting it at its first use."""
        return self._node("QuantizeLinear", [name, *self._scale(name)], f"{name}_held")

    def _from_held(self, name: str) -> str:
        """Return the name of the float32 values of a tensor's uint8 form."""
        given = [self._as_held(name), *self._scale(name)]
        return self._node("DequantizeLinear", given, f"{name}_real")

    def _as_real(self, name: str) -> str:
        """Return a name under which a float32 node reads a tensor or a weight."""
        if name in self._floats:
            self.constants[name] = self._floats[name]
        return self._from_held(name) if f"{name}_held" in self._made else name

    def _scale(self, name: str) -> tuple[str, str]:
        scale = self._scales[name]
        step = self._add(f"{scale.name}_step", scale.step)
        return step, self._add(f"{scale.name}_zero", scale.zero)

    def _array(self, name: str) -> NDArray[np.float32]:
        return numpy_helper.to_array(self._floats[name])

    def _add(self, name: str, value: NDArray[Any] | np.generic) -> str:
        self.constants[name] = numpy_helper.from_array(np.asarray(value), name)
        return name

    def _node(self, kind: str, inputs: Sequence[str], made: str, axis: int | None = None) -> str:
        """Write a node unless its output exists; return the name of the output."""
        if made not in self._made:
            self._made.add(made)
            self.nodes.append(helper.make_node(kind, inputs, [made], name=made, axis=axis))
        return made

    def _copy(self, node: NodeProto, inputs: Sequence[str], made: str) -> None:
        """Copy a node with new inputs and a new name for its output."""
        copied = helper.make_node(node.op_type, inputs, [made], name=node.name)
        copied.attribute.extend(node.attribute)
        self.nodes.append(copied)
        self._made.add(made)


def _weight_scales(
    weights: NDArray[np.float32], bias: NDArray[np.float32], step: np.float32
) -> NDArray[np.float32]:
    """Return the step of each output channel: the largest weight is 127 and the bias fits."""
    largest = np.abs(weights).max(axis=(1, 2, 3)) / np.float32(LIMIT)
    least = np.maximum(np.abs(bias) / (np.float32(MAX_BIAS) * step), np.float32(1e-12))
    scales: NDArray[np.float32] = np.maximum(largest, least)
    return scales
