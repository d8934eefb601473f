"""Plan capacity: simulate the measured server and write docs/capacity.md: `make capacity`.

Reads docs/capacity.json, or makes it anew from a benchmark's result.json (--result).
"""

from __future__ import annotations

import argparse
import math
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import capacity_report
from capacity_measured import Loop, Measured
from capacity_model import Outcome, closed_loop, highest_rate, open_loop

ROOT = Path(__file__).resolve().parent.parent
LOADS = (0.3, 0.5, 0.7, 0.8, 0.9, 1.0, 1.2)  # of what a machine can do at most
POOL = 16  # machines that a balancer chooses among; more gain little
LOOP_COUNT, OPEN_COUNT = 6_000, 20_000  # pictures of a run


@dataclass(frozen=True, slots=True)
class Goal:
    """What clients are promised."""

    p95_s: float
    refusals: float
    load: float  # of what a machine can do, at most

    def is_met(self, outcome: Outcome) -> bool:
        """Whether a run keeps the promise."""
        return outcome.percentile_s(95) <= self.p95_s and outcome.refusals <= self.refusals


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything the report shows."""

    measured: Measured
    goal: Goal
    loops: list[tuple[Loop, Outcome]]
    loads: list[tuple[float, float, Outcome]]  # load, rate, what came of it
    alone_rate: float  # pictures a second of a machine that meets the goal, chosen at random
    pooled_rate: float  # and behind a balancer that knows which is least busy
    rates: tuple[float, ...]
    spare: float

    def machines(self, rate: float, each: float) -> tuple[int, int]:
        """Return how many carry a load, and how many with the spare ones."""
        needed = max(1, math.ceil(rate / each))
        return needed, needed + max(1, math.ceil(needed * self.spare))


def main() -> None:
    """Simulate and write."""
    options = _options()
    if options.result is not None:
        Measured.of_result(options.result).save(options.measured)
    plan = make_plan(
        Measured.load(options.measured),
        Goal(options.p95, options.refusals, options.load),
        tuple(options.rate),
        options.spare,
    )
    options.output.write_text(capacity_report.markdown(plan), encoding="utf-8")
    print(f"wrote {options.output}")


def make_plan(
    measured: Measured,
    goal: Goal,
    rates: tuple[float, ...],
    spare: float,
    count: int | None = None,
    pool: int = POOL,
) -> Plan:
    """Run every simulation of the report; ``count`` is the pictures of each."""
    count = count or OPEN_COUNT
    machine, works = measured.machine, measured.works
    most = measured.throughput(machine.places)
    asked = partial(open_loop, machine, works)

    def keeps(rate: float, machines: int) -> bool:
        return goal.is_met(asked(rate * machines, count, machines=machines))

    alone_rate = highest_rate(lambda rate: keeps(rate, 1), goal.load * most)
    pooled_rate = highest_rate(lambda rate: keeps(rate, pool), goal.load * most)
    if not alone_rate or not pooled_rate:
        raise SystemExit(f"no load is light enough for a p95 of {goal.p95_s:g} s on this machine")
    return Plan(
        measured,
        goal,
        [
            (loop, closed_loop(machine, works, loop.clients, min(count, LOOP_COUNT)))
            for loop in measured.loops
        ],
        [(load, load * most, asked(load * most, count)) for load in LOADS],
        alone_rate,
        pooled_rate,
        rates,
        spare,
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--result", type=Path, help="a result.json to take figures from")
    parser.add_argument("--measured", type=Path, default=ROOT / "docs" / "capacity.json")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "capacity.md")
    parser.add_argument("--p95", type=float, default=2.0, help="seconds; default: %(default)s")
    parser.add_argument("--refusals", type=float, default=0.001, help="share; default: %(default)s")
    parser.add_argument("--load", type=float, default=0.85, help="at most; default: %(default)s")
    parser.add_argument("--spare", type=float, default=0.05, help="share; default: %(default)s")
    parser.add_argument("--rate", type=float, nargs="+", default=[1, 100, 10_000])
    return parser.parse_args()


if __name__ == "__main__":
    main()
