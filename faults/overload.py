"""Four times the capacity: the server answers all requests it can and refuses the rest at once."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

from bench.stats import percentile
from bgremove.settings import Settings
from faults.clients import Load, Seen, ask, seconds_of
from faults.finding import Finding
from faults.pictures import SIDES, large_picture
from faults.stand import SMALL, Ground, Stand, stand
from harness.gunicorn import Server

TIMES = 4  # the load, in multiples of the capacity
SATURATED = 8  # clients that keep every core busy, some of them queued
USUAL = 2  # clients, for the p95 under normal load
DEFAULTS = Settings()
REFUSED = "503 OVERLOADED"
LATE = "502 UPSTREAM_ERROR"
PATHS = ("/livez", "/readyz")
HEALTH_EVERY_S = 0.05
HEALTH_S = 0.1  # limit of the p99 of each path
CALM_AFTER_S = 10.0
LARGE_CLIENTS = (18, 2)  # the crowd first, while the server has measured no such picture


@dataclass
class Health:
    """Response times of /livez and /readyz, requested all the time at gunicorn's own port."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {path: [] for path in PATHS})
    statuses: set[int] = field(default_factory=set)


@dataclass(frozen=True)
class Usual:
    """Measurements before the overload: best throughput, in pictures a second, and the p95."""

    best: float
    p95_s: float


@dataclass(frozen=True)
class Run:
    """The requests of a run, and its throughput in pictures a second."""

    what: str
    seen: list[Seen]
    rate: float


def overload(ground: Ground, seconds: float) -> Iterator[Finding]:
    """Apply closed-loop, then open-loop load, each for ``seconds``."""
    with stand(ground, 1) as on:
        ask(on.edge.door, SMALL)
        usual = _usual(on, seconds)
        for asking in (_closed, _open):
            with watched(on.servers[0]) as health:
                run = asking(on, usual, seconds)
            found = Finding(run.what, "requests over capacity: 503 at once")
            _judge(ground, found, run, usual)
            judge_health(found, health, ground.seconds(HEALTH_S))
            _judge_calm(ground, found, on, usual, seconds)
            yield found
        if ground.strict:  # on a busy machine one such picture may take longer than the deadline
            for clients in LARGE_CLIENTS:
                yield _large(ground, on, clients, seconds)


def _large(ground: Ground, on: Stand, clients: int, seconds: float) -> Finding:
    """Send pictures of 50 megapixels; those that cannot be served in time get a 503 at once."""
    width, height = SIDES
    what = f"{clients} clients with pictures of {width * height / 1e6:.0f} megapixels"
    found = Finding(f"{what}, {seconds:g} s", "what is over capacity: 503 at once, never 502")
    started = time.monotonic()
    with watched(on.servers[0]) as health, Load(on.edge.door, [large_picture()], clients) as load:
        time.sleep(seconds)
        ended = time.monotonic()
    found.saw(load.seen, expected={"200", REFUSED})
    found.at_most_lost(0)
    rate = _rate(load.seen, started, ended)
    found.note(f"{rate:.2f} pictures a second; longest request {load.longest_s:.1f} s")
    found.expect(rate > 0, "no picture was served")
    judge_health(found, health, ground.seconds(HEALTH_S))
    return found


def _usual(on: Stand, seconds: float) -> Usual:
    """Measure the server before the overload, with the same health checks: they take CPU time."""
    started = time.monotonic()
    with watched(on.servers[0]), Load(on.edge.door, [SMALL], SATURATED) as load:
        time.sleep(seconds / 2)
        ended = time.monotonic()
    return Usual(_rate(load.seen, started, ended), _p95_with_few(on, seconds / 4))


def _p95_with_few(on: Stand, seconds: float) -> float:
    with Load(on.edge.door, [SMALL], USUAL) as load:
        time.sleep(seconds)
    return percentile(seconds_of(load.seen), 95)


def _closed(on: Stand, _: Usual, seconds: float) -> Run:
    clients = TIMES * (DEFAULTS.places + DEFAULTS.queue)
    what = f"closed loop: {clients} clients at {DEFAULTS.places} places and a queue of "
    what += f"{DEFAULTS.queue}, {seconds:g} s; a refused client waits as long as Retry-After says"
    started = time.monotonic()
    with Load(on.edge.door, [SMALL], clients) as load:
        time.sleep(seconds)
        ended = time.monotonic()
    return Run(what, load.seen, _rate(load.seen, started, ended))


def _open(on: Stand, usual: Usual, seconds: float) -> Run:
    # A short run sends more, or the queue would take all its requests.
    rate = TIMES * max(usual.best, (DEFAULTS.places + DEFAULTS.queue) / seconds)
    what = f"open loop: {rate:.1f} requests a second for {seconds:g} s"
    what += f", at least {TIMES} times the best"
    started = time.monotonic()
    with ThreadPoolExecutor(max(1, round(rate * DEFAULTS.timeout_s))) as clients:
        asked = []
        for number in range(round(rate * seconds)):
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            asked.append(clients.submit(ask, on.edge.door, SMALL))
        ended = time.monotonic()
        seen = [one.result() for one in asked]
    return Run(what, seen, _rate(seen, started, ended))


def _rate(seen: list[Seen], started: float, ended: float) -> float:
    """Return the throughput, in pictures a second, between two times."""
    served = [one for one in seen if one.outcome == "200" and started <= one.ended <= ended]
    return len(served) / (ended - started)


def _judge(ground: Ground, found: Finding, run: Run, usual: Usual) -> None:
    # On a busy machine the last picture in time may take longer than those before it.
    found.saw(run.seen, expected={"200", REFUSED} | (set() if ground.strict else {LATE}))
    found.at_most_lost(0)
    found.note(f"{run.rate:.1f} pictures a second, the best was {usual.best:.1f}")
    least = 0.9 if ground.strict else 0.2
    found.expect(run.rate >= least * usual.best, f"less than {least:g} of the best throughput")
    refused = [one for one in run.seen if one.outcome == REFUSED]
    found.expect(bool(refused), "no request was refused: this was no overload")
    found.expect(all(one.retry_after_s >= 1 for one in refused), "a 503 without Retry-After")
    p99 = percentile(seconds_of(run.seen, REFUSED), 99)
    found.note(f"refused within {p99 * 1000:.0f} ms (p99)")
    found.expect(p99 <= ground.seconds(1), f"refusals took {p99:.1f} s")
    longest = max((one.seconds for one in run.seen), default=0.0)
    found.note(f"longest wait {longest:.1f} s")
    bound_s = ground.seconds(DEFAULTS.timeout_s + 1)
    found.expect(longest <= bound_s, f"a client waited {longest:.1f} s, past the deadline")


@contextmanager
def watched(server: Server) -> Iterator[Health]:
    """Request the health endpoints of a server until the block ends."""
    health, enough = Health(), threading.Event()

    def look() -> None:
        while True:  # at least once, however short the block
            for path in PATHS:
                started = time.monotonic()
                health.statuses.add(server.door.send("GET", path).status)
                health.seconds[path].append(time.monotonic() - started)
            if enough.wait(HEALTH_EVERY_S):
                return

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield health
    finally:
        enough.set()
        thread.join()


def judge_health(found: Finding, health: Health, bound_s: float) -> None:
    """Note the p99 of the health endpoints, which must answer 200 within a limit."""
    found.expect(health.statuses == {200}, f"health answered {sorted(health.statuses)}")
    for path, took in health.seconds.items():
        p99 = percentile(took, 99)
        found.note(f"{path} p99 {p99 * 1000:.0f} ms")
        found.expect(p99 <= bound_s, f"{path} took {p99 * 1000:.0f} ms at p99")


def _judge_calm(ground: Ground, found: Finding, on: Stand, usual: Usual, seconds: float) -> None:
    time.sleep(CALM_AFTER_S if ground.strict else 1)
    p95_s = _p95_with_few(on, seconds / 4)
    found.note(f"p95 before {usual.p95_s * 1000:.0f} ms, after {p95_s * 1000:.0f} ms")
    bound_s = 1.5 * usual.p95_s if ground.strict else usual.p95_s + 20
    found.expect(p95_s <= bound_s, "p95 was not back to normal")
