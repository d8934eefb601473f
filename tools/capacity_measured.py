"""What capacity planning takes from a run of `make bench`: a page of JSON that is kept in docs/."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from bench_result import Result
from bench_stats import select
from capacity_model import Machine, Work

from bgremove.settings import Settings

PHASE, MIX = "load", "mix"


@dataclass(frozen=True, slots=True)
class Loop:
    """What ``clients`` closed loops measured."""

    clients: int
    answers: int
    throughput: float
    p50_ms: float
    p95_ms: float


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture of the mix, and every time it took a single client."""

    name: str
    megapixels: float
    upload_bytes: int
    answer_bytes: int  # 0 where it was not kept
    alone_ms: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """A server on one machine under a mix of pictures."""

    date: str
    processor: str
    cores: int
    target: str
    places: int
    queue: int
    deadline_s: float
    memory_bytes: int  # resident, of all processes, at its peak under this mix
    memory_largest_bytes: int  # and with the largest picture of the run
    pictures: tuple[Picture, ...]
    loops: tuple[Loop, ...]

    @classmethod
    def load(cls, path: Path) -> Measured:
        """Read what `save` wrote."""
        data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        pictures = tuple(
            Picture(**row | {"alone_ms": tuple(row["alone_ms"])}) for row in data["pictures"]
        )
        loops = tuple(Loop(**row) for row in data["loops"])
        return cls(**data | {"pictures": pictures, "loops": loops})

    @classmethod
    def of_result(cls, path: Path) -> Measured:
        """Take from a `result.json` of the benchmark what is needed of it."""
        result = Result.load(path)
        target = result.ours
        footprint = result.footprint(target) if target else None
        if target is None or footprint is None:
            raise SystemExit(f"{path}: holds no run of bgremove with its footprint")
        growth = select(result.rounds, phase="growth", target=target)
        defaults = Settings()  # what the benchmark runs with
        return cls(
            date=result.machine["date"],
            processor=result.machine["processor"],
            cores=int(result.machine["cores"].split()[0]),
            target=target,
            places=defaults.places,
            queue=defaults.queue,
            deadline_s=defaults.timeout_s,
            memory_bytes=footprint.peak_rss,
            memory_largest_bytes=max([footprint.peak_rss, *(one.rss_peak for one in growth)]),
            pictures=tuple(_pictures(result, target, path.parent / "answers" / target)),
            loops=tuple(_loops(result, target)),
        )

    def save(self, path: Path) -> None:
        """Write it as JSON."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    @property
    def works(self) -> list[Work]:
        """The pictures as the simulation takes them: each time is one that was measured."""
        return [partial(_one_of, [ms / 1000 for ms in one.alone_ms]) for one in self.pictures]

    @property
    def machine(self) -> Machine:
        """The server as the simulation takes it.

        With as many clients as places all of them are worked on at once, so that the throughput
        there, beside that of one client, tells how much they slow each other down.
        """
        alone = self.throughput(1)
        factors = (n * alone / self.throughput(n) for n in range(1, self.places + 1))
        return Machine(tuple(factors), self.queue)

    def throughput(self, clients: int) -> float:
        """Return pictures a second with so many clients."""
        for loop in self.loops:
            if loop.clients == clients:
                return loop.throughput
        raise SystemExit(f"{clients} clients were not measured; a server has {self.places} places")


def _one_of(seconds: Sequence[float], random: Random) -> float:
    return random.choice(seconds)


def _loops(result: Result, target: str) -> list[Loop]:
    loops = []
    for clients in result.clients(PHASE):
        row = result.merged(PHASE, target, clients, MIX)
        if row is not None:
            p50, p95 = round(row.p50_ms), round(row.p95_ms)
            loops.append(Loop(clients, row.ok, round(row.throughput, 3), p50, p95))
    return loops


def _pictures(result: Result, target: str, answers: Path) -> list[Picture]:
    alone: dict[str, list[float]] = {}
    for one in select(result.rounds, phase=PHASE, target=target, clients=1, workload=MIX):
        for name, values in one.latencies_ms.items():
            alone.setdefault(name, []).extend(round(value, 1) for value in values)
    rows = {row["name"]: row for row in result.pictures}
    sizes = {path.stem: path.stat().st_size for path in answers.glob("*")}
    return [
        Picture(
            name,
            round(rows[name]["width"] * rows[name]["height"] / 1e6, 2),
            rows[name]["bytes"],
            sizes.get(name, 0),
            tuple(values),
        )
        for name, values in sorted(alone.items(), key=lambda item: rows[item[0]]["width"])
    ]
