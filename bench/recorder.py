"""Start the servers of `make bench`, put them under load, and record the results."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import Upload, fetch, form, run_load
from bench.process import Watch, pss
from bench.servers import Server, Target, started
from bench.stats import MB, Footprint, Round, Start, percentile
from harness.processes import resident_bytes, tree
from harness.programs import ServerError, last_words

ENDLESS = 10_000  # requests; the time limit of a round ends it long before


@dataclass(frozen=True, slots=True)
class Level:
    """A load: the number of clients and rounds, and the duration of a round."""

    clients: int
    rounds: int = 1
    seconds: float = 0.0
    least: int = 1  # requests, even after the time limit
    most: int = ENDLESS


FOOTPRINT = "footprint"  # the phase that measures memory, one server at a time
ONCE = Level(1)  # one cycle of the pictures


@dataclass(frozen=True, slots=True)
class Workload:
    """A named set of pictures."""

    name: str
    pictures: tuple[str, ...]


@dataclass(slots=True)
class Recorder:
    """Runs the measurements of the phases and stores them in its lists."""

    pictures: Mapping[str, bytes]
    logs: Path
    answers: Path
    starts: list[Start] = field(default_factory=list)
    footprints: list[Footprint] = field(default_factory=list)
    rounds: list[Round] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    unable: set[str] = field(default_factory=set)  # labels of servers that did not start
    _began: float = field(default_factory=time.monotonic)
    _forms: dict[tuple[str, str], Upload] = field(default_factory=dict)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self._began

    @contextmanager
    def running(
        self, targets: Sequence[Target], phase: str, first: Workload
    ) -> Iterator[list[Server]]:
        """Start the servers one after the other; those that cannot run are noted and skipped."""
        with ExitStack() as stack:
            servers = []
            for target in targets:
                if target.label in self.unable:
                    continue
                try:
                    with ExitStack() as until_able:
                        server = until_able.enter_context(started(target, self.logs))
                        self._first_request(server, phase, first)
                        stack.push(until_able.pop_all())
                    servers.append(server)
                except ServerError as fault:
                    self.unable.add(target.label)
                    self.note(f"{target.label} left out: {fault}")
            yield servers

    def measure(self, server: Server, phase: str, workload: Workload, level: Level) -> None:
        """Put a server under a load and record the round."""
        if not server.is_alive:
            self.note(f"{server.target.label} had ended before {phase}, {level.clients} clients")
            return
        uploads = self._uploads(server, workload)
        with Watch(server.process.pid, with_pss=phase == FOOTPRINT) as watch:
            tally = run_load(
                server.endpoint,
                uploads,
                level.clients,
                max(level.least, level.clients),
                level.most,
                level.seconds,
            )
        one = Round(
            target=server.target.label,
            phase=phase,
            workload=workload.name,
            clients=level.clients,
            seconds=tally.seconds,
            latencies_ms=tally.latencies_ms,
            failures=dict(tally.failures),
            stages_ms=dict(tally.stages_ms),
            cpu_s=watch.cpu_s,
            client_cpu_s=watch.client_cpu_s,
            foreign_cpu_s=watch.foreign_cpu_s,
            rss_peak=watch.rss_peak,
            pss_peak=watch.pss_peak,
        )
        self.rounds.append(one)
        print(f"{self.elapsed_s:4.0f} s  {describe(one)}", flush=True)

    def keep_answers(self, server: Server, workload: Workload) -> None:
        """Store a server's answers as files, for comparison after the measurements."""
        folder = self.answers / server.target.label
        folder.mkdir(parents=True, exist_ok=True)
        for upload in self._uploads(server, workload):
            if body := fetch(server.endpoint, upload):
                (folder / f"{upload.name}.png").write_bytes(body)

    def keep_footprint(self, server: Server) -> None:
        """Record a server's current memory and its peak in the phase."""
        pids, label = tree(server.process.pid), server.target.label
        seen = [one for one in self.rounds if (one.target, one.phase) == (label, FOOTPRINT)]
        now = {
            "steady_rss": resident_bytes(pids),
            "steady_pss": pss(pids),
            "processes": len(pids),
        }
        peak_rss = max((one.rss_peak for one in seen), default=0)
        peak_pss = max((one.pss_peak for one in seen), default=0)
        self.footprints.append(Footprint(target=label, peak_rss=peak_rss, peak_pss=peak_pss, **now))

    def note(self, sentence: str) -> None:
        """Print a sentence on the terminal and add it to the report."""
        print(sentence, flush=True)
        self.notes.append(sentence)

    def _first_request(self, server: Server, phase: str, first: Workload) -> None:
        pids = tree(server.process.pid)
        ready_rss, ready_pss = resident_bytes(pids), pss(pids)
        tally = run_load(server.endpoint, self._uploads(server, first)[:1], 1, 1, 1, 0)
        if tally.failures:
            why = ", ".join(tally.failures)
            raise ServerError(f"its first picture failed: {why}: {last_words(server.log)}")
        check_precision(server.target.environment.get("BGREMOVE_PRECISION"), set(tally.models))
        ((first_ms,),) = tally.latencies_ms.values()
        label = server.target.label
        self.starts.append(Start(label, phase, server.startup_s, first_ms, ready_rss, ready_pss))
        print(f"{label}: ready after {server.startup_s:.2f} s, first picture {first_ms:.0f} ms")

    def _uploads(self, server: Server, workload: Workload) -> list[Upload]:
        uploads = []
        for name in workload.pictures:
            key = (server.target.file_field, name)
            if key not in self._forms:
                self._forms[key] = form(server.endpoint, name, self.pictures[name])
            uploads.append(self._forms[key])
        return uploads


def check_precision(precision: str | None, models: set[str]) -> None:
    """Raise ServerError where X-Model shows another precision than the requested one."""
    if precision is None:
        return
    if any((precision == "int8") != model.endswith("-int8") for model in models):
        answered = ", ".join(sorted(models))
        raise ServerError(f"{precision} is not available, the server answered with {answered}")


def describe(one: Round) -> str:
    """Return a round as a line for the terminal."""
    failed = f", failed {one.failures}" if one.failures else ""
    return (
        f"{one.phase:<9} {one.workload:<14} {one.clients:>2} clients  {one.target:<16} "
        f"{one.throughput:6.2f}/s  p50 {percentile(one.all_ms, 50):7.0f} ms  "
        f"peak {one.rss_peak / MB:6.0f} MB{failed}"
    )
