"""The range of values of each tensor, from a calibration table, and the uint8 scales for them.

A table is ``weights/NAME.ranges.tsv``. Tensors joined by nodes such as ``Concat`` share a scale.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from onnx import NodeProto

TYING = frozenset({"MaxPool", "Resize", "Concat"})  # outputs stay within the inputs' range
STEPS = 255
HEADER = "tensor\tlow\thigh"

Ranges = Mapping[str, tuple[float, float]]


def read_ranges(path: Path) -> dict[str, tuple[float, float]]:
    """Read a table as tensor name -> (low, high); raise ``ValueError`` for other content."""
    header, *rows = path.read_text(encoding="utf-8").splitlines()
    if header != HEADER:
        raise ValueError(f"{path}: the first line is not {HEADER!r}")
    table: dict[str, tuple[float, float]] = {}
    for row in rows:
        name, low, high = row.split("\t")
        table[name] = (float(low), float(high))
        if not -math.inf < table[name][0] <= table[name][1] < math.inf:
            raise ValueError(f"{path}: {name} has no range from {low} to {high}")
    return table


def write_ranges(path: Path, table: Ranges) -> None:
    """Write a table in the order of the network, with numbers to four digits."""
    rows = (f"{name}\t{low:.4g}\t{high:.4g}" for name, (low, high) in table.items())
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")


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
