"""Calibration tables ``weights/NAME.ranges.tsv``: the range of values of each tensor."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

HEADER = "tensor\tlow\thigh"


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


def write_ranges(path: Path, table: Mapping[str, tuple[float, float]]) -> None:
    """Write a table in the order of the network, with numbers to four digits."""
    rows = (f"{name}\t{low:.4g}\t{high:.4g}" for name, (low, high) in table.items())
    path.write_text("\n".join([HEADER, *rows, ""]), encoding="utf-8")
