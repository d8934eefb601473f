"""The statistics of `make bench`: rounds, percentiles, shares and ratios.

NumPy is not used, so that the measuring process shares no library pages with the measured servers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import median

MB = 1_000_000  # bytes; every size in the report is in these


@dataclass(frozen=True, slots=True)
class Start:
    """One start of a server: times to its first 200 on the readiness path and its first picture."""

    target: str
    phase: str
    startup_s: float
    first_ms: float
    rss: int  # bytes when ready, every process of the server
    pss: int


@dataclass(frozen=True, slots=True)
class Footprint:
    """Memory of one server that ran alone, in bytes."""

    target: str
    steady_rss: int  # one second after the load
    steady_pss: int
    peak_rss: int  # during the load
    peak_pss: int
    processes: int


@dataclass(frozen=True, slots=True)
class Round:
    """One closed-loop measurement of one server, from the first request to the last answer."""

    target: str
    phase: str
    workload: str
    clients: int
    seconds: float
    latencies_ms: dict[str, list[float]]  # of the successes, by picture
    failures: dict[str, int] = field(default_factory=dict)  # by status or by kind of error
    stages_ms: dict[str, float] = field(default_factory=dict)  # summed over the successes
    cpu_s: float = 0.0  # of every process of the server
    client_cpu_s: float = 0.0
    foreign_cpu_s: float = 0.0  # of all other programs on this machine
    rss_peak: int = 0  # bytes
    pss_peak: int = 0

    @property
    def all_ms(self) -> list[float]:
        """Every success's latency."""
        return [value for values in self.latencies_ms.values() for value in values]

    @property
    def ok(self) -> int:
        """Number of pictures that came back."""
        return sum(map(len, self.latencies_ms.values()))

    @property
    def throughput(self) -> float:
        """Pictures per second."""
        return self.ok / self.seconds if self.seconds else 0.0

    @property
    def foreign_cores(self) -> float:
        """Number of cores that other programs kept busy."""
        return self.foreign_cpu_s / self.seconds if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Merged:
    """All rounds of one server under one load, as one row of a table."""

    rounds: int
    ok: int
    failures: dict[str, int]
    throughput: float  # median of the rounds
    best_throughput: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    cpu_ms: float  # per picture
    rss_peak: int
    foreign_cores: float  # of the noisiest round


def percentile(values: Sequence[float], percent: float) -> float:
    """Return a percentile, interpolated between the two nearest ranks; NaN without values."""
    if not values:
        return math.nan
    ordered = sorted(values)
    position = (len(ordered) - 1) * percent / 100
    below = math.floor(position)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (position - below)


def merge(rounds: Sequence[Round]) -> Merged | None:
    """Pool the latencies and take the median of the throughputs; None without rounds."""
    if not rounds:
        return None
    latencies = [value for one in rounds for value in one.all_ms]
    failures: Counter[str] = Counter()
    for one in rounds:
        failures.update(one.failures)
    throughputs = [one.throughput for one in rounds]
    return Merged(
        rounds=len(rounds),
        ok=len(latencies),
        failures=dict(failures),
        throughput=median(throughputs),
        best_throughput=max(throughputs),
        p50_ms=percentile(latencies, 50),
        p95_ms=percentile(latencies, 95),
        p99_ms=percentile(latencies, 99),
        cpu_ms=sum(one.cpu_s for one in rounds) * 1000 / max(1, len(latencies)),
        rss_peak=max(one.rss_peak for one in rounds),
        foreign_cores=max(one.foreign_cores for one in rounds),
    )


def select(
    rounds: Iterable[Round],
    *,
    phase: str,
    target: str | None = None,
    clients: int | None = None,
    workload: str | None = None,
) -> list[Round]:
    """Return the rounds that match everything given."""
    return [
        one
        for one in rounds
        if one.phase == phase
        and target in (None, one.target)
        and clients in (None, one.clients)
        and workload in (None, one.workload)
    ]


def ratio(a: float, b: float) -> float:
    """Return a / b; NaN where it is undefined."""
    return a / b if b and not math.isnan(b) else math.nan


def shares(rounds: Sequence[Round]) -> dict[str, float]:
    """Return each stage's share of the client's waiting time, and `rest` for unnamed time."""
    waited = sum(sum(one.all_ms) for one in rounds)
    stages: Counter[str] = Counter()
    for one in rounds:
        stages.update(one.stages_ms)
    if not waited or not stages:
        return {}
    found = {stage: ms / waited for stage, ms in stages.items()}
    return found | {"rest": max(0.0, 1 - sum(found.values()))}


def mean_stage_ms(rounds: Sequence[Round], stage: str) -> float:
    """Return a stage's milliseconds per picture."""
    count = sum(one.ok for one in rounds)
    return sum(one.stages_ms.get(stage, 0.0) for one in rounds) / count if count else math.nan


def flatness(by_clients: dict[int, float]) -> float:
    """Return the lowest throughput from four clients on over the highest of all; 1 is flat."""
    saturated = [value for clients, value in by_clients.items() if clients >= 4]
    return min(saturated) / max(by_clients.values()) if len(saturated) > 1 else math.nan


def server_timing(header: str) -> dict[str, float]:
    """Parse `decode;dur=12.5, inference;dur=200` into milliseconds."""
    stages: dict[str, float] = {}
    for entry in header.split(","):
        name, *parameters = (part.strip() for part in entry.split(";"))
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip() == "dur":
                stages[name] = stages.get(name, 0.0) + float(value.strip('" '))
    return stages
