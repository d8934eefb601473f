"""A queueing model of one server, or of several behind a balancer, in SimPy.

A server works on as many pictures at once as it has places, keeps a bounded queue, and refuses the
next. Pictures that are worked on share the cores: each is slower the more there are, by measured
factors. A picture goes through in slices, and each slice looks anew at how many there are.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

import simpy
from bench_load import REFUSAL_PAUSE_S
from bench_stats import percentile

SLICES = 10  # of a picture's work; twice as many change no percentile by a hundredth
WARM_UP = 0.05  # of the pictures of a run: they meet a queue that is emptier than it will be

Work = Callable[[Random], float]  # gives the seconds that a picture takes alone
Steps = Generator[simpy.Event, Any, Any]


@dataclass(frozen=True, slots=True)
class Machine:
    """``slowdown[n - 1]`` is how many times as long a picture takes while ``n`` are worked on."""

    slowdown: tuple[float, ...]
    queue: int

    @property
    def places(self) -> int:
        """Pictures worked on at once."""
        return len(self.slowdown)


@dataclass(slots=True)
class Outcome:
    """What clients of a run saw, after its warm-up."""

    latencies_s: list[float] = field(default_factory=list)
    refused: int = 0
    seconds: float = 0.0

    @property
    def throughput(self) -> float:
        """Pictures that came back a second."""
        return len(self.latencies_s) / self.seconds

    @property
    def refusals(self) -> float:
        """The share of pictures that were refused."""
        return self.refused / (self.refused + len(self.latencies_s))

    def percentile_s(self, percent: float) -> float:
        """Return a percentile of the successes."""
        return percentile(self.latencies_s, percent)


class Server:
    """One machine in a simulated world."""

    def __init__(self, world: simpy.Environment, machine: Machine) -> None:
        self._world = world
        self._machine = machine
        self._places = simpy.Resource(world, capacity=machine.places)

    @property
    def pictures(self) -> int:
        """Pictures that are worked on or wait."""
        return self._places.count + len(self._places.queue)

    def serve(self, alone_s: float) -> Steps:
        """Work on a picture; gives False where it is refused."""
        if self.pictures >= self._machine.places + self._machine.queue:
            return False
        with self._places.request() as place:
            yield place
            for _ in range(SLICES):
                factor = self._machine.slowdown[self._places.count - 1]
                yield self._world.timeout(alone_s / SLICES * factor)
        return True


class _Run:
    """Counts the outcome of one run from the end of its warm-up on."""

    def __init__(self, count: int, seed: int) -> None:
        self.world = simpy.Environment()
        self.random = Random(seed)  # noqa: S311 -- a simulation
        self.outcome = Outcome()
        self._numbers = iter(range(count))
        self._first = int(count * WARM_UP)
        self._began = 0.0

    def numbers(self) -> Iterator[int]:
        """Hand out the numbers of the pictures, one stream for all clients."""
        return self._numbers

    def ask(self, number: int, server: Server, alone_s: float) -> Steps:
        """Send one picture and count what came of it; gives whether it was served."""
        asked = self.world.now
        if number == self._first:
            self._began = asked
        served: bool = yield from server.serve(alone_s)
        if number >= self._first and served:
            self.outcome.latencies_s.append(self.world.now - asked)
        elif number >= self._first:
            self.outcome.refused += 1
        return served

    def finish(self) -> Outcome:
        """Run to the end."""
        self.world.run()
        self.outcome.seconds = self.world.now - self._began
        return self.outcome


def closed_loop(
    machine: Machine, works: Sequence[Work], clients: int, count: int, seed: int = 1
) -> Outcome:
    """Simulate what `make bench` does: clients that send the next picture when they have an answer.

    ``works`` are sent in turn.
    """
    run = _Run(count, seed)
    server = Server(run.world, machine)
    turn = itertools.cycle(works)

    def client() -> Steps:
        for number in run.numbers():
            served = yield from run.ask(number, server, next(turn)(run.random))
            if not served:
                yield run.world.timeout(REFUSAL_PAUSE_S)

    for _ in range(clients):
        run.world.process(client())
    return run.finish()


def open_loop(
    machine: Machine,
    works: Sequence[Work],
    rate: float,
    count: int,
    seed: int = 1,
    machines: int = 1,
) -> Outcome:
    """Simulate pictures that come when they please: ``rate`` a second, Poisson, in random order.

    Of several machines the one with the fewest pictures gets the next, the first of those that tie
    after a random one.
    """
    run = _Run(count, seed)
    servers = [Server(run.world, machine) for _ in range(machines)]

    def arrivals() -> Steps:
        for number in run.numbers():
            yield run.world.timeout(run.random.expovariate(rate))
            start = run.random.randrange(machines)
            server = min(servers[start:] + servers[:start], key=lambda one: one.pictures)
            work = run.random.choice(works)
            run.world.process(run.ask(number, server, work(run.random)))

    run.world.process(arrivals())
    return run.finish()


def highest_rate(fits: Callable[[float], bool], most: float, steps: int = 8) -> float:
    """Return the highest rate up to ``most`` for which ``fits`` holds, found by halving."""
    if fits(most):
        return most
    low, high = 0.0, most
    for _ in range(steps):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
