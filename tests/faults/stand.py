"""What every scenario stands on: nginx before one gunicorn or two, with the real weights."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.http import START_S, Server, file, form, free_ports, gunicorn
from tests.support.metrics import scraped
from tests.support.nginx import UNLIMITED, Changes, Edge, nginx
from tests.support.processes import children
from tests.support.tiny import ball, encoded

SMALL = form(file("image", encoded(ball(640, 480), ".jpg")))
LARGE = form(file("image", encoded(ball(1500, 1000), ".jpg")))
LOOK_EVERY_S = 0.05


@dataclass(frozen=True)
class Ground:
    """Where scenarios run and how often.

    ``strict``: bounds of time are asserted. In the suite only hangs are, so that a busy machine
    fails no test. ``stands`` are those that several scenarios share, by their gunicorns.
    """

    folder: Path
    weights: Path
    times: int
    strict: bool
    stands: dict[int, tuple[contextlib.ExitStack, Stand]] = field(default_factory=dict)
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def new(self, name: str) -> Path:
        """Return a new folder."""
        path = self.folder / f"{next(self._numbers)}-{name}"
        path.mkdir()
        return path

    @property
    def few(self) -> int:
        """How often to do what takes long."""
        return max(1, self.times // 3)

    def seconds(self, bound: float) -> float:
        """Return a bound of time, widened where only hangs matter."""
        return bound if self.strict else bound + 20

    def close(self) -> None:
        """End the shared stands."""
        while self.stands:
            self.stands.popitem()[1][0].close()


@dataclass
class Stand:
    """A running nginx and the gunicorns behind it."""

    edge: Edge
    servers: list[Server]
    _start: Callable[[int], Server]

    def start_again(self, index: int) -> None:
        """Put a new gunicorn in the place of one that has ended, at the same port."""
        self.servers[index] = self._start(self.servers[index].port)


@contextlib.contextmanager
def stand(
    ground: Ground,
    count: int,
    settings: Mapping[str, str] | None = None,
    *,
    changes: Changes | None = None,
    wait_for: str = "/readyz",
    edge_folder: Path | None = None,
    **more: str,
) -> Iterator[Stand]:
    """Run ``count`` gunicorns (1 or 2) and nginx until the block ends.

    ``changes`` come on top of those that keep nginx from refusing anybody for coming often; of a
    single gunicorn, nginx knows no other.
    """
    chosen = {"BGREMOVE_WEIGHTS_DIR": str(ground.weights)}
    if count > 1:
        chosen["BGREMOVE_THREADS"] = "1"
    chosen |= dict(settings or {})
    with contextlib.ExitStack() as stack:

        def start(port: int) -> Server:
            folder = ground.new("gunicorn")
            run = gunicorn(folder, chosen, port=port, wait_for=wait_for, **more)
            return stack.enter_context(run)

        ports = free_ports(2)
        servers = [start(port) for port in ports[:count]]
        every = {name: dict(texts) for name, texts in UNLIMITED.items()}
        if count == 1:
            line = f"    server 127.0.0.1:{ports[1]} max_fails=3 fail_timeout=1s;\n"
            every["nginx/upstream.conf"] = {line: ""}
        for name, texts in (changes or {}).items():
            every[name] = every.get(name, {}) | dict(texts)
        edge = stack.enter_context(nginx(edge_folder or ground.new("nginx"), ports, every))
        yield Stand(edge, servers, start)


@contextlib.contextmanager
def usual(ground: Ground, count: int) -> Iterator[Stand]:
    """Borrow a stand with nothing special about it; one left broken is not lent again."""
    if count not in ground.stands:
        stack = contextlib.ExitStack()
        ground.stands[count] = stack, stack.enter_context(stand(ground, count))
    try:
        yield ground.stands[count][1]
    except BaseException:
        ground.stands.pop(count)[0].close()
        raise


def until(what: Callable[[], bool], bound_s: float = START_S) -> float:
    """Wait until something holds; return the seconds that took, or fail loudly at the bound."""
    started = time.monotonic()
    while not what():
        assert time.monotonic() - started < bound_s, f"waited {bound_s:g} s in vain"
        time.sleep(LOOK_EVERY_S)
    return time.monotonic() - started


def workers(server: Server) -> set[int]:
    """Return the ids of its workers."""
    return set(children(server.process.pid))


def worker_of(server: Server) -> int:
    """Return the id of its one worker, waiting for the one that takes the place of another."""
    until(lambda: len(workers(server)) == 1)
    return next(iter(workers(server)))


def is_ready(server: Server) -> bool:
    """Tell whether it says so."""
    with contextlib.suppress(OSError):
        return server.door.send("GET", "/readyz").status == 200
    return False


def replaced(server: Server, old: int) -> float:
    """Wait until another worker than ``old`` is ready; return the seconds that took."""
    return until(lambda: bool(workers(server)) and old not in workers(server) and is_ready(server))


def is_idle(server: Server) -> bool:
    """Tell whether no place is taken and nobody waits, by its own metrics."""
    samples = scraped(server.door)
    return samples.of("places_in_use") == 0 and samples.of("queue_length") == 0
