"""Plot quality over processor time: the IoU of each remover against its cost."""

from __future__ import annotations

import argparse
import csv
from collections import defaultdict
from pathlib import Path

Point = tuple[float, float, str]


def main() -> None:
    """Plot the points of a table (series, name, cpu_ms, iou), with a line through each series."""
    parser = argparse.ArgumentParser(prog="python -m eval.plot", description=__doc__)
    parser.add_argument("table", type=Path, help="tab-separated, with a header")
    parser.add_argument("picture", type=Path)
    options = parser.parse_args()
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot  # takes a second, which ``read`` need not wait for

    figure, axis = pyplot.subplots(figsize=(7, 4.2), dpi=110)
    for series, points in read(options.table).items():
        times, ious, names = zip(*sorted(points), strict=True)
        axis.plot(times, ious, marker="o", label=series)
        for time, iou, name in zip(times, ious, names, strict=True):
            axis.annotate(name, (time, iou), textcoords="offset points", xytext=(6, -11))
    axis.set(xlabel="processor time a picture, ms", ylabel="mean IoU")
    axis.margins(x=0.25, y=0.15)
    axis.set_xlim(left=0)
    axis.grid(visible=True, alpha=0.3)
    axis.legend(loc="center right")
    figure.tight_layout()
    figure.savefig(options.picture)


def read(table: Path) -> dict[str, list[Point]]:
    """Return the points (cpu_ms, iou, name) of each series, in the order of the table."""
    series: defaultdict[str, list[Point]] = defaultdict(list)
    with table.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            point = float(row["cpu_ms"]), float(row["iou"]), row["name"]
            series[row["series"]].append(point)
    return dict(series)


if __name__ == "__main__":
    main()
