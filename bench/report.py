"""The report of `make bench`: bench.md and bench.png, from the JSON of a run."""

from __future__ import annotations

import math
import sys
from pathlib import Path
from statistics import median

from bench import sections
from bench.plot import draw
from bench.result import METRICS, RIVAL, Goal, Result, is_met, rival_ratio
from bench.sections import number, table, times
from bench.stats import ratio

QUIET = 0.1  # cores: above this, work of other programs makes the figures noisy


def main() -> None:
    """Write both files into a folder."""
    source, folder = Path(sys.argv[1]), Path(sys.argv[2])
    result = Result.load(source)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "bench.md").write_text(markdown(result), encoding="utf-8")
    draw(result, folder / "bench.png")
    print(f"wrote {folder / 'bench.md'} and {folder / 'bench.png'}")


def markdown(result: Result) -> str:
    """Render a run as Markdown."""
    parts = (
        _head(result),
        _glance(result),
        sections.against_clients(result),
        sections.by_picture(result),
        sections.stages(result),
        sections.against_megapixels(result),
        sections.against_workers(result),
        sections.answers(result),
        sections.starts(result),
        _method(result),
    )
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(result: Result) -> str:
    length = "A quick run" if result.quick else "A run"
    return (
        "# Benchmark\n\n"
        f"{length} of `make bench` on {result.machine['date']}, {result.seconds // 60} min "
        f"{result.seconds % 60} s. {_noise(result)} Compare the columns of one run, not the "
        "figures of two: those depend on the machine, the ratios much less.\n\n"
        "![The figures below as a plot](bench.png)"
    )


def _noise(result: Result) -> str:
    found = [one.foreign_cores for one in result.rounds]
    if not found:
        return ""
    usual, most = median(found), max(found)
    verdict = (
        "The machine was otherwise quiet" if usual < QUIET else "**The machine was not quiet**"
    )
    clients = median(one.client_cpu_s / one.seconds for one in result.rounds if one.seconds)
    return (
        f"{verdict}: other programs kept {usual:.2f} of its cores busy in the middle round and "
        f"{most:.2f} in the worst, the measuring clients {clients:.2f}."
    )


def _glance(result: Result) -> str:
    targets, ours = result.targets, result.ours
    float32 = next((one for one in targets if one.endswith("float32") and one != ours), None)
    head = ["", *targets]
    head += [f"{ours} : {RIVAL}", "goal"] if RIVAL in targets else []
    head += [f"{ours} : {float32}"] if float32 else []
    rows = []
    for metric in METRICS:
        row = [metric.name, *(number(metric.of(result, one), metric.digits) for one in targets)]
        if RIVAL in targets:
            found = rival_ratio(result, metric)
            row += [times(found), _verdict(metric.goal, found)]
        if float32 and ours:
            found = ratio(metric.of(result, ours), metric.of(result, float32))
            goal = _verdict(metric.precision_goal, found)
            row.append(times(found) + (f" ({goal})" if goal else ""))
        rows.append(row)
    return "## At a glance\n\n" + table(head, rows)


def _verdict(goal: Goal | None, found: float) -> str:
    if goal is None:
        return ""
    sign, bound = goal
    words = "" if math.isnan(found) else ", met" if is_met(goal, found) else ", **missed**"
    return f"{sign} {bound:.2g} ×{words}"


def _method(result: Result) -> str:
    facts = "\n".join(f"- {name}: {value}" for name, value in result.machine.items())
    pictures = table(
        ["picture", "pixels", "bytes", "SHA-256"],
        [
            [
                one["name"],
                f"{one['width']} × {one['height']}",
                f"{one['bytes']:,}",
                one["sha256"][:16],
            ]
            for one in result.pictures
        ],
    )
    notes = "\n".join(f"- {note}" for note in result.notes)
    return (
        METHOD
        + "\n\n"
        + pictures
        + "\n\n## The machine\n\n"
        + facts
        + (f"\n\n## Notes\n\n{notes}" if notes else "")
    )


METHOD = """## How it is measured

Both servers run on the loopback of one machine with the same `u2net.onnx`: ours as `make run`
starts it, rembg's as `rembg s --no-ui` (its web page would only add memory), asked for U²-Net and
otherwise with its defaults. They are under load in turn, never together, round after round, so
that noise reaches all alike. Clients are closed loops, each on one kept-alive connection, and
send the mix in whole cycles: the photographs of the folder, or generated ones of 0.2, 0.8 and 6
megapixels (see the notes). An answer counts once its last byte is
read and it is a PNG; throughput is answers over the time to the last of them; percentiles pool
the rounds. Resident memory (RSS) is summed over all processes of a server, our decoders included,
every 50 ms; PSS, which divides a shared page among its users, every 0.5 s; for the table at the
top with no other server running. CPU time is that of all processes of a server; noise moves it
least; noise is what other programs took, in the worst round. The two do not do the same work:
ours asks a second network where the first is unsure, refines the edge of the matte and cleans the
colours there; rembg by default does none of these.

The generated pictures are photographs that ship with scikit-image (NASA's astronaut, public
domain; cat and coffee, CC0), scaled, with film grain, as JPEG, the same bytes every time; 2, 12
and 40 megapixels are sent only to see what grows."""


if __name__ == "__main__":
    main()
