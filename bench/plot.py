"""The plot of `make bench`: six panels on one page."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.result import Result
from bench.stats import MB, select, shares

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = {"rembg": "#8a8f98", "bgremove int8": "#0b6e4f", "bgremove float32": "#e08e1b"}
STYLE: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titleweight": "bold",
    "axes.titlesize": 11,
    "axes.axisbelow": True,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "grid.alpha": 0.3,
    "font.size": 10,
}
STAGE_COLOURS = ("#3a6ea5", "#0b6e4f", "#e08e1b", "#b5446e", "#7a5195", "#c9b458", "#4f9da6")
OTHER_COLOUR = "#c4c8ce"
OTHER = "other"
LEAST_TICK = 2.0  # megapixels; ticks of smaller ones do not fit on a linear axis
SMALL_SHARE = 0.01  # stages below this in every bar are drawn as one


def draw(result: Result, path: Path) -> None:
    """Write the PNG."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    panels: tuple[Callable[[Axes, Result], None], ...] = (
        _throughput,
        _latency,
        _memory,
        _time_growth,
        _memory_growth,
        _stages,
    )
    with plt.rc_context(STYLE):
        figure, axes = plt.subplots(2, 3, figsize=(15, 8.4), layout="constrained")
        for panel, axis in zip(panels, axes.flat, strict=True):
            panel(axis, result)
            axis.set_visible(axis.has_data())
        figure.suptitle(
            f"bgremove beside rembg, one run on {result.machine['cores'].split()[0]} cores "
            f"({result.machine['processor']}), {result.machine['date']}"
        )
        figure.savefig(path, dpi=100)
        plt.close(figure)


def _throughput(axis: Axes, result: Result) -> None:
    for target in result.targets:
        if found := result.throughputs("load", target):
            axis.plot(list(found), list(found.values()), "o-", label=target, color=_colour(target))
    _against_clients(axis, result, "Throughput: higher is better", "pictures a second")
    axis.set_ylim(bottom=0)


def _latency(axis: Axes, result: Result) -> None:
    for target in result.targets:
        rows = {n: result.merged("load", target, n) for n in result.clients("load")}
        known = {n: row for n, row in rows.items() if row is not None and row.ok}
        if not known:
            continue
        p50 = [row.p50_ms / 1000 for row in known.values()]
        p95 = [row.p95_ms / 1000 for row in known.values()]
        axis.plot(list(known), p50, "o-", label=target, color=_colour(target))
        axis.plot(list(known), p95, "x:", color=_colour(target))
    _logarithmic(axis)
    _against_clients(axis, result, "Latency, p50 and dotted p95: lower is better", "seconds, log")


def _against_clients(axis: Axes, result: Result, title: str, unit: str) -> None:
    axis.set_title(title)
    axis.set_xscale("log", base=2)
    counts = result.clients("load")
    axis.set_xticks(counts, [str(count) for count in counts])
    axis.set_xlabel("clients")
    axis.set_ylabel(unit)
    _legend(axis)


def _memory(axis: Axes, result: Result) -> None:
    labels = [target for target in result.targets if result.footprint(target)]
    for index, target in enumerate(labels):
        found = result.footprint(target)
        if found is None:
            continue
        values = (found.steady_rss / MB, found.peak_rss / MB)
        for offset, value, alpha in zip((-0.2, 0.2), values, (1.0, 0.55), strict=True):
            bar = axis.bar(index + offset, value, 0.38, color=_colour(target), alpha=alpha)
            axis.bar_label(bar, [f"{value:,.0f}"], padding=2)
    axis.set_xticks(range(len(labels)), labels)
    axis.margins(y=0.1)
    axis.set_title("Memory after the load, and its peak in pale")
    axis.set_ylabel("MB resident, all processes, 4 clients")


def _time_growth(axis: Axes, result: Result) -> None:
    _against_size(axis, result, "log", lambda p50_ms, _: p50_ms / 1000)
    axis.set_title("Time against picture size")
    axis.set_ylabel("seconds, one client, log")
    _logarithmic(axis)


def _memory_growth(axis: Axes, result: Result) -> None:
    _against_size(axis, result, "linear", lambda _, rss: rss / MB)
    axis.set_title("Peak memory against picture size")
    axis.set_ylabel("MB resident, all processes, one client")
    axis.set_ylim(bottom=0)


def _against_size(
    axis: Axes, result: Result, scale: str, value: Callable[[float, float], float]
) -> None:
    workloads = list(dict.fromkeys(one.workload for one in select(result.rounds, phase="growth")))
    sizes = [float(name.rpartition("-")[2]) for name in workloads]
    for target in result.targets:
        rows = [result.merged("growth", target, 1, name) for name in workloads]
        points = [
            (size, value(row.p50_ms, row.rss_peak))
            for size, row in zip(sizes, rows, strict=True)
            if row is not None and row.ok
        ]
        if points:
            axis.plot(*zip(*points, strict=True), "o-", label=target, color=_colour(target))
    axis.set_xscale(scale)
    shown = sizes if scale == "log" else [size for size in sizes if size >= LEAST_TICK]
    axis.set_xticks(shown, [f"{size:g}" for size in shown])
    axis.set_xticks([], minor=True)
    axis.set_xlabel("megapixels")
    _legend(axis)


def _stages(axis: Axes, result: Result) -> None:
    bars = {
        target.removeprefix("bgremove ") + ", mix": shares(
            select(result.rounds, phase="load", target=target, clients=1)
        )
        for target in result.targets
    }
    for workload in dict.fromkeys(one.workload for one in select(result.rounds, phase="growth")):
        found = select(result.rounds, phase="growth", target=result.ours, workload=workload)
        bars[workload.rpartition("-")[2] + " MP"] = shares(found)
    bars = {name: found for name, found in bars.items() if found}
    left = [0.0] * len(bars)
    order = dict.fromkeys(stage for found in bars.values() for stage in found)
    large = [
        stage
        for stage in order
        if stage != "rest" and any(found.get(stage, 0) >= SMALL_SHARE for found in bars.values())
    ]
    bars = {
        name: found | {OTHER: 1 - sum(found.get(stage, 0) for stage in large)}
        for name, found in bars.items()
    }
    for index, stage in enumerate([*large, OTHER]):
        widths = [found.get(stage, 0.0) * 100 for found in bars.values()]
        colour = STAGE_COLOURS[index % len(STAGE_COLOURS)] if stage != OTHER else OTHER_COLOUR
        axis.barh(list(bars), widths, left=left, label=stage, color=colour)
        left = [a + b for a, b in zip(left, widths, strict=True)]
    axis.invert_yaxis()
    axis.set_xlim(0, 100)
    axis.grid(visible=False)
    axis.set_title("Where a request's time goes")
    axis.set_xlabel("% of what one client waits")
    if bars:
        axis.legend(
            ncols=4, fontsize=8, loc="upper center", bbox_to_anchor=(0.5, -0.12), frameon=False
        )


def _logarithmic(axis: Axes) -> None:
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_yscale("log")
    axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_minor_locator(NullLocator())
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:g}")


def _legend(axis: Axes) -> None:
    if axis.get_legend_handles_labels()[0]:
        axis.legend(fontsize=8, frameon=False)


def _colour(target: str) -> str:
    return COLOURS.get(target, "#3a6ea5")
