"""The phases of `make bench`; servers take turns, so that noise affects all alike."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from bench.pictures import GROWTH, MIX, name_of
from bench.recorder import FOOTPRINT, ONCE, Level, Recorder, Workload
from bench.servers import Server, Target, bgremove

GENERATED = Workload("mix", tuple(name_of(*row) for row in MIX))
SETTLE_S = 1.0  # between a load and the measurement of memory after it
FEW_MEGAPIXELS = 2.0  # up to this size a picture is measured three times


@dataclass(frozen=True, slots=True)
class Plan:
    """The extent of a run."""

    limit_s: float  # afterwards only first rounds run; after twice the limit, none
    footprint: Level
    levels: tuple[Level, ...]
    growth: tuple[tuple[str, float], ...]
    growth_rounds: int
    workers: tuple[int, ...]
    worker_levels: tuple[Level, ...]


FULL = Plan(
    limit_s=840,
    footprint=Level(4, seconds=8, least=12),
    levels=(Level(1, 3, 10), Level(2, 2, 8), Level(4, 3, 12), Level(8, 2, 8), Level(16, 2, 8)),
    growth=GROWTH,
    growth_rounds=2,
    workers=(1, 2),
    worker_levels=(Level(1, 2, 6), Level(4, 2, 8), Level(8, 2, 8)),
)
QUICK = Plan(
    limit_s=150,
    footprint=Level(4, seconds=3, least=6),
    levels=(Level(1, 1, 4), Level(4, 1, 4), Level(8, 1, 4)),
    growth=tuple(row for row in GROWTH if row[1] <= 12),
    growth_rounds=1,
    workers=(1, 2),
    worker_levels=(Level(4, 1, 4),),
)


@dataclass(slots=True)
class Phases:
    """The phases of a run."""

    recorder: Recorder
    plan: Plan
    targets: Sequence[Target]
    mix: Workload = GENERATED  # the pictures of every phase but `growth`

    def footprint(self) -> None:
        """Measure each server alone: start-up, first request, memory with one and four clients."""
        for target in self.targets:
            with self.recorder.running([target], FOOTPRINT, self.mix) as servers:
                for server in servers:
                    self.recorder.measure(server, FOOTPRINT, self.mix, ONCE)
                    self.recorder.measure(server, FOOTPRINT, self.mix, self.plan.footprint)
                    time.sleep(SETTLE_S)
                    self.recorder.keep_footprint(server)

    def growth(self) -> None:
        """Measure time and memory by megapixels, ascending, because memory may never shrink."""
        with self.recorder.running(self.targets, "growth", self.mix) as servers:
            for photograph, megapixels in self.plan.growth:
                name = name_of(photograph, megapixels)
                count = 3 if megapixels <= FEW_MEGAPIXELS else 1
                level = Level(1, self.plan.growth_rounds, least=count, most=count)
                picture = Workload(name, (name,))
                self._in_turn(servers, "growth", picture, [level], self.plan.limit_s * 0.7)

    def load(self) -> None:
        """Measure throughput and latency by clients."""
        with self.recorder.running(self.targets, "load", self.mix) as servers:
            for server in servers:
                self.recorder.keep_answers(server, self.mix)  # also warms the server up
            self._in_turn(servers, "load", self.mix, self.plan.levels, self.plan.limit_s / 8)

    def workers(self) -> None:
        """Measure throughput by workers of the bgremove server, in the precision measured first."""
        able = [target for target in self.targets if target.label not in self.recorder.unable]
        precisions = [target.environment.get("BGREMOVE_PRECISION") for target in able]
        precision = next((one for one in precisions if one), None)
        if precision is None:
            return
        targets = [
            bgremove(precision, count, f"{count} worker{'s' if count > 1 else ''}")
            for count in self.plan.workers
        ]
        with self.recorder.running(targets, "workers", self.mix) as servers:
            for server in servers:  # warms every worker; any may answer
                self.recorder.measure(server, "warm-up", self.mix, Level(4, seconds=3, least=12))
            self._in_turn(servers, "workers", self.mix, self.plan.worker_levels, 0)

    def _in_turn(
        self,
        servers: Sequence[Server],
        phase: str,
        workload: Workload,
        levels: Sequence[Level],
        reserve_s: float,
    ) -> None:
        """Measure round by round, level by level, server by server, while there is time."""
        for turn in range(max(level.rounds for level in levels)):
            for level in levels:
                if turn >= level.rounds:
                    continue
                limit_s = self.plan.limit_s - reserve_s if turn else 2 * self.plan.limit_s
                if self.recorder.elapsed_s > limit_s:
                    self.recorder.note(
                        f"{phase}, {workload.name}: no time was left for round {turn + 1} "
                        f"with {level.clients} clients and what follows it"
                    )
                    return
                for server in servers:
                    self.recorder.measure(server, phase, workload, level)
