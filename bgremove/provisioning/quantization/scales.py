"""Conversion of ranges to uint8 scales, one for each group of tensors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from onnx import NodeProto

TYING = frozenset({"MaxPool", "Resize", "Concat"})  # outputs stay within the inputs' range
STEPS = 255

Ranges = Mapping[str, tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Scale:
    """The uint8 scale of a group of tensors: real = step * (held - zero)."""

    name: str
    step: np.float32
    zero: np.uint8

    @classmethod
    def of(cls, name: str, low: float, high: float) -> Scale:
        """Return the scale that spans ``low`` to ``high`` and represents 0 exactly."""
        low, high = min(low, 0.0), max(high, 0.0)
        step = np.float32((high - low) / STEPS) or np.float32(1)
        return cls(name, step, np.uint8(min(round(-low / float(step)), STEPS)))


def scales_of(nodes: Iterable[NodeProto], ranges: Ranges) -> dict[str, Scale]:
    """Return the scale of every input and output tensor of the int8 ``nodes``."""
    nodes = list(nodes)
    heads = _groups(nodes)
    spans: dict[str, tuple[float, float]] = {}
    for name, head in heads.items():
        if name in ranges:
            low, high = spans.get(head, ranges[name])
            spans[head] = min(low, ranges[name][0]), max(high, ranges[name][1])
    scales = {head: Scale.of(head, *span) for head, span in spans.items()}
    return {name: scales[head] for name, head in heads.items()}


def _groups(nodes: list[NodeProto]) -> dict[str, str]:
    """Map each tensor to the head of its group, the tensors joined by tying nodes."""
    heads: dict[str, str] = {}

    def head(name: str) -> str:
        while heads.setdefault(name, name) != name:
            name = heads[name]
        return name

    for node in nodes:
        pictures = node.input if node.op_type in {"Concat", "Add"} else node.input[:1]
        for name in (*pictures, node.output[0]):
            if node.op_type in TYING:
                heads[head(name)] = head(node.output[0])
            head(name)
    return {name: head(name) for name in list(heads)}
