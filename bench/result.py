"""A finished run of `make bench`, loaded from its JSON, and the figures derived from it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench.answers import Agreement
from bench.stats import Footprint, Merged, Round, Start, mean_stage_ms, merge, ratio, select

RIVAL = "rembg"
Goal = tuple[str, float]  # ("≥", 3)


@dataclass(frozen=True, slots=True)
class Result:
    """All measurements of a run."""

    machine: dict[str, str]
    quick: bool
    seconds: int
    pictures: list[dict[str, Any]]
    starts: list[Start]
    footprints: list[Footprint]
    rounds: list[Round]
    answers: list[Agreement]
    notes: list[str]

    @classmethod
    def load(cls, path: Path) -> Result:
        """Load the JSON of a run."""
        data = json.loads(path.read_text(encoding="utf-8"))
        return cls(
            **data
            | {
                "starts": [Start(**row) for row in data["starts"]],
                "footprints": [Footprint(**row) for row in data["footprints"]],
                "rounds": [Round(**row) for row in data["rounds"]],
                "answers": [Agreement(**row) for row in data["answers"]],
            }
        )

    @property
    def targets(self) -> list[str]:
        """The compared servers, in the order in which they took turns."""
        compared = (one.target for one in self.starts if one.phase != "workers")
        return list(dict.fromkeys(compared))

    @property
    def ours(self) -> str | None:
        """The bgremove server to compare with rembg's: the precision that was measured first."""
        return next((label for label in self.targets if label != RIVAL), None)

    def clients(self, phase: str) -> list[int]:
        """Return the numbers of clients in a phase."""
        return sorted({one.clients for one in select(self.rounds, phase=phase)})

    def merged(self, phase: str, target: str, clients: int, workload: str = "mix") -> Merged | None:
        """Return one row: all rounds of a server under a load."""
        return merge(
            select(self.rounds, phase=phase, target=target, clients=clients, workload=workload)
        )

    def throughputs(self, phase: str, target: str) -> dict[int, float]:
        """Return pictures per second by clients, the median of the rounds."""
        rows = {n: self.merged(phase, target, n) for n in self.clients(phase)}
        return {n: row.throughput for n, row in rows.items() if row is not None}

    def footprint(self, target: str) -> Footprint | None:
        """Return the memory of a server, measured alone."""
        return next((one for one in self.footprints if one.target == target), None)

    def start_values(self, target: str, value: Callable[[Start], float]) -> list[float]:
        """Return a figure for every start of a server."""
        return [value(one) for one in self.starts if one.target == target]


@dataclass(frozen=True, slots=True)
class Metric:
    """A figure for comparing the servers."""

    name: str
    of: Callable[[Result, str], float]
    goal: Goal | None = None  # the goal for bgremove's figure over rembg's
    digits: int = 0
    precision_goal: Goal | None = None  # the goal for int8 over float32


def _load(clients: int, value: Callable[[Merged], float]) -> Callable[[Result, str], float]:
    def of(result: Result, target: str) -> float:
        row = result.merged("load", target, clients)
        return math.nan if row is None else value(row)

    return of


def _memory(value: Callable[[Footprint], int]) -> Callable[[Result, str], float]:
    def of(result: Result, target: str) -> float:
        found = result.footprint(target)
        return math.nan if found is None else value(found) / 1e6

    return of


def _start(value: Callable[[Start], float]) -> Callable[[Result, str], float]:
    def of(result: Result, target: str) -> float:
        values = result.start_values(target, value)
        return median(values) if values else math.nan

    return of


def fastest_ms(result: Result, target: str) -> float:
    """Sum the fastest answers to a single client over the pictures of the mix."""
    fastest: dict[str, float] = {}
    for one in select(result.rounds, phase="load", target=target, clients=1):
        for name, values in one.latencies_ms.items():
            fastest[name] = min([*values, fastest.get(name, math.inf)])
    return sum(fastest.values()) if fastest else math.nan


def inference_ms(result: Result, target: str) -> float:
    """Return the milliseconds of inference per picture, with a single client."""
    rounds = select(result.rounds, phase="load", target=target, clients=1)
    return mean_stage_ms(rounds, "inference") or math.nan


METRICS = (
    Metric(
        "Pictures a second, 4 clients: median round",
        _load(4, lambda row: row.throughput),
        ("≥", 3),
        2,
    ),
    Metric(
        "Pictures a second, 4 clients: best round",
        _load(4, lambda row: row.best_throughput),
        None,
        2,
    ),
    Metric("p50 with 1 client, ms", _load(1, lambda row: row.p50_ms), ("≤", 1 / 3)),
    Metric("Fastest of each picture with 1 client, summed, ms", fastest_ms),
    Metric(
        "Resident memory under 4 clients, peak, MB", _memory(lambda one: one.peak_rss), ("≤", 1 / 3)
    ),
    Metric("Resident memory after it, MB", _memory(lambda one: one.steady_rss), ("≤", 1 / 3)),
    Metric("The same as PSS, peak, MB", _memory(lambda one: one.peak_pss)),
    Metric("The same as PSS, after it, MB", _memory(lambda one: one.steady_pss)),
    Metric("CPU time a picture, 4 clients, ms", _load(4, lambda row: row.cpu_ms)),
    Metric("Start to ready, s", _start(lambda one: one.startup_s), None, 2),
    Metric("First picture after that, ms", _start(lambda one: one.first_ms)),
    Metric("Inference with 1 client, ms", inference_ms, precision_goal=("≤", 1 / 3)),
)


def is_met(goal: Goal, found: float) -> bool:
    """Return whether a ratio reaches its goal."""
    sign, bound = goal
    return found >= bound if sign == "≥" else found <= bound


def rival_ratio(result: Result, metric: Metric) -> float:
    """Return bgremove's figure over rembg's."""
    if result.ours is None or RIVAL not in result.targets:
        return math.nan
    return ratio(metric.of(result, result.ours), metric.of(result, RIVAL))
