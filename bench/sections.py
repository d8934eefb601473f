"""The sections of `make bench`'s report; a section is empty where nothing was measured."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from statistics import median

from bench.answers import REFERENCE
from bench.result import RIVAL, Result
from bench.stats import MB, Merged, flatness, percentile, ratio, select, shares

FLAT = 0.9  # of the best throughput that must remain at every number of clients past saturation
MOST_ROWS = 10  # of a table by picture
LOAD_HEAD = (
    "pictures/s",
    "best round",
    "p50 ms",
    "p95 ms",
    "p99 ms",
    "CPU ms/picture",
    "answers",
    "failures",
    "noise, cores",
)


def against_clients(result: Result) -> str:
    """Throughput and percentiles by clients, and the flatness of throughput."""
    counts = result.clients("load")
    if not counts:
        return ""
    rows = [
        [str(clients), target, *_load_cells(row)]
        for clients in counts
        for target in result.targets
        if (row := result.merged("load", target, clients)) is not None
    ]
    head = ["clients", "server", *LOAD_HEAD]
    lines = []
    if RIVAL in result.targets and result.ours:
        ours, theirs = (result.throughputs("load", one) for one in (result.ours, RIVAL))
        each = [
            f"{times(ratio(ours[n], theirs[n]))} at {n}"
            for n in counts
            if n in ours.keys() & theirs
        ]
        lines.append(f"- {result.ours} : {RIVAL}, pictures a second by clients: {', '.join(each)}.")
    for target in result.targets:
        found = flatness(result.throughputs("load", target))
        if not math.isnan(found):
            lines.append(
                f"- {target}: from 4 clients on, the least throughput is {found:.0%} of the best: "
                + ("flat." if found >= FLAT else "**not flat**.")
            )
    return "## Against clients\n\n" + table(head, rows) + "\n\n" + "\n".join(lines)


def by_picture(result: Result) -> str:
    """Latency with one client, picture by picture."""
    rounds = select(result.rounds, phase="load", clients=1)
    names = list(dict.fromkeys(name for one in rounds for name in one.latencies_ms))
    if not names or len(names) > MOST_ROWS:
        return ""
    rows = []
    for name in names:
        p50 = {
            target: percentile(
                [
                    ms
                    for one in select(rounds, phase="load", target=target)
                    for ms in one.latencies_ms.get(name, [])
                ],
                50,
            )
            for target in result.targets
        }
        rows.append([f"{name} megapixels", *(number(value) for value in p50.values())])
        if RIVAL in p50 and result.ours:
            rows[-1].append(times(ratio(p50[result.ours], p50[RIVAL])))
    head = ["p50 ms", *result.targets]
    head += [f"{result.ours} : {RIVAL}"] if RIVAL in result.targets else []
    return "## By picture, with one client\n\n" + table(head, rows)


def stages(result: Result) -> str:
    """Each stage's share of a request, by server and by size."""
    columns: dict[str, dict[str, float]] = {}
    for target in result.targets:
        columns[f"{target}, mix"] = shares(
            select(result.rounds, phase="load", target=target, clients=1)
        )
    for workload in _growth_names(result):
        found = select(result.rounds, phase="growth", target=result.ours, workload=workload)
        columns[workload.rpartition("-")[2] + " MP"] = shares(found)
    columns = {name: found for name, found in columns.items() if found}
    if not columns:
        return ""
    stages = list(dict.fromkeys(stage for found in columns.values() for stage in found))
    rows = [
        [stage, *(f"{found.get(stage, 0):.1%}" for found in columns.values())] for stage in stages
    ]
    return (
        "## Where the time goes\n\nShares of what one client waits, from `Server-Timing`; `rest` "
        f"is HTTP, the form and the way there and back. The sizes are {result.ours}'s.\n\n"
        + table(["stage", *columns], rows)
    )


def against_megapixels(result: Result) -> str:
    """Time and memory by megapixels."""
    rows = []
    for workload in _growth_names(result):
        row = [workload.rpartition("-")[2]]
        found = {target: result.merged("growth", target, 1, workload) for target in result.targets}
        row += [number(math.nan if one is None else one.p50_ms) for one in found.values()]
        row += [number(math.nan if one is None else one.rss_peak / MB) for one in found.values()]
        rows.append(row)
    if not rows:
        return ""
    head = ["megapixels", *(f"{one}, ms" for one in result.targets)]
    head += [f"{one}, peak MB" for one in result.targets]
    return (
        "## Against megapixels\n\nOne client, one scene, servers started for this, sizes "
        "ascending; memory is resident memory of all processes.\n\n" + table(head, rows)
    )


def against_workers(result: Result) -> str:
    """Throughput by workers."""
    rounds = select(result.rounds, phase="workers")
    if not rounds:
        return ""
    labels = list(dict.fromkeys(one.target for one in rounds))
    rows = [
        [str(clients), label, *_load_cells(row), number(row.rss_peak / MB)]
        for clients in result.clients("workers")
        for label in labels
        if (row := result.merged("workers", label, clients)) is not None
    ]
    head = ["clients", "WEB_CONCURRENCY", *LOAD_HEAD, "peak MB"]
    return f"## Against workers\n\n{result.ours}.\n\n" + table(head, rows)


def answers(result: Result) -> str:
    """Differences between the mattes and those of bgremove's float32 model."""
    if not result.answers:
        return ""
    head = ["picture", "server", "mean difference of alpha", "IoU"]
    rows = [
        [one.picture, one.target, number(one.mean_difference, 4), number(one.iou, 4)]
        for one in sorted(result.answers, key=lambda one: (one.picture, one.target))
    ]
    return (
        f"## The answers beside those of {REFERENCE}\n\nAlpha is from 0 to 1. This says how alike "
        "the cut-outs are, not how good: that is measured on known mattes, by `make eval`.\n\n"
    ) + table(head, rows)


def starts(result: Result) -> str:
    """Start-up, first request and memory."""
    rows = []
    for target in result.targets:
        startup = result.start_values(target, lambda one: one.startup_s)
        first = result.start_values(target, lambda one: one.first_ms)
        ready = result.start_values(target, lambda one: one.rss / MB)
        found = result.footprint(target)
        rows.append(
            [
                target,
                ", ".join(number(one, 2) for one in startup),
                ", ".join(number(one) for one in first),
                number(median(ready)),
                "–" if found is None else number(found.steady_rss / MB),
                "–" if found is None else number(found.peak_rss / MB),
                "–" if found is None else str(found.processes),
            ]
        )
    head = ["server", "ready after, s", "first picture, ms", "RSS when ready, MB"]
    head += ["after the load", "peak", "processes"]
    return (
        "## Start and memory\n\nEvery start of the run; ready is the first 200 from `/readyz`, "
        "or from rembg's description. Ours then has its model warm, rembg loads it with the first "
        "picture.\n\n" + table(head, rows)
    )


def _load_cells(row: Merged) -> list[str]:
    return [
        number(row.throughput, 2),
        number(row.best_throughput, 2),
        number(row.p50_ms),
        number(row.p95_ms),
        number(row.p99_ms),
        number(row.cpu_ms),
        f"{row.ok} in {row.rounds}",
        ", ".join(f"{count} × {why}" for why, count in row.failures.items()) or "0",
        number(row.foreign_cores, 2),
    ]


def _growth_names(result: Result) -> list[str]:
    rounds = select(result.rounds, phase="growth")
    return list(dict.fromkeys(one.workload for one in rounds))


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Render a Markdown table; every column but the first is right-aligned."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def number(value: float, digits: int = 0) -> str:
    """Format a figure; a dash where it was not measured."""
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"


def times(value: float) -> str:
    """Format a ratio with at least two significant figures."""
    return "–" if math.isnan(value) else f"{value:.{1 if value >= 2 else 2}f} ×"
