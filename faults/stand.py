"""The setup of all scenarios: nginx in front of one or two gunicorns, with the real weights."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faults.clients import Load
from harness.forms import file, form
from harness.gunicorn import SHIPPED_CONFIG, Server, gunicorn
from harness.http import Door
from harness.metrics import scraped
from harness.nginx import UNLIMITED, Changes, Edge, nginx
from harness.pictures import ball, encoded
from harness.processes import children
from harness.programs import free_port, free_ports
from harness.waiting import until

SMALL = form(file("image", encoded(ball(640, 480), ".jpg")))
PAUSE_S = 0.5  # of a client in the test suite
LARGE = form(file("image", encoded(ball(1500, 1000), ".jpg")))


@dataclass(frozen=True)
class Ground:
    """The folders of scenarios and the number of repetitions.

    ``strict``: time limits are checked. The test suite checks only for hangs, so that no test fails
    on a busy machine. ``stands`` are shared by scenarios, by their number of gunicorns.
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
        """The number of repetitions of slow steps."""
        return max(1, self.times // 3)

    def count(self, each: int) -> int:
        """Return a number of requests: ``each`` a repetition, two in all in the test suite."""
        return each * self.times if self.strict else 2

    @property
    def clients(self) -> int:
        """The number of clients that keep a service busy: in the test suite, none is queued."""
        return 4 if self.strict else 2

    def load(
        self,
        door: Door,
        bodies: Sequence[bytes] = (SMALL,),
        clients: int = 0,
        headers: Mapping[str, str] | None = None,
    ) -> Load:
        """Return clients that keep a service busy: in the test suite, with pauses."""
        pause_s = 0.0 if self.strict else PAUSE_S
        return Load(door, bodies, clients or self.clients, headers or {}, pause_s)

    @property
    def patience(self) -> int:
        """The factor of shortened timeouts: ordinary requests must pass on a busy machine."""
        return 1 if self.strict else 2

    def seconds(self, bound: float) -> float:
        """Return a time limit, extended if only hangs matter."""
        return bound if self.strict else bound + 60

    def close(self) -> None:
        """Stop the shared stands."""
        while self.stands:
            self.stands.popitem()[1][0].close()


@dataclass
class Stand:
    """A running nginx and the gunicorns behind it."""

    edge: Edge
    servers: list[Server]
    _start: Callable[[int], Server]

    def start_again(self, index: int) -> None:
        """Start a new gunicorn on the port of one that has ended."""
        self.servers[index] = self._start(self.servers[index].port)


@contextlib.contextmanager
def stand(
    ground: Ground,
    count: int,
    settings: Mapping[str, str] | None = None,
    *,
    changes: Changes | None = None,
    wait_for: str = "/readyz",
    application: str = "wsgi:app",
    config: str = SHIPPED_CONFIG,
) -> Iterator[Stand]:
    """Run ``count`` gunicorns (1 or 2) and nginx until the block ends.

    ``changes`` are added to those that disable nginx's rate limits. With one gunicorn, nginx has a
    single upstream.
    """
    chosen = {"BGREMOVE_WEIGHTS_DIR": str(ground.weights)}
    if count > 1:
        chosen["BGREMOVE_THREADS"] = "1"
    if not ground.strict:
        chosen["BGREMOVE_TIMEOUT_S"] = "40"  # a busy machine takes its time
        chosen["BGREMOVE_EFFORT"] = "fast"  # and one network is enough to be busy with
    chosen |= dict(settings or {})
    with contextlib.ExitStack() as stack:

        def start(port: int) -> Server:
            folder = ground.new("gunicorn")
            run = gunicorn(
                folder,
                chosen,
                port=port,
                wait_for=wait_for,
                application=application,
                config=config,
            )
            return stack.enter_context(run)

        servers = [start(port) for port in free_ports(count)]
        edge = stack.enter_context(in_front(servers, ground.new("nginx"), changes))
        yield Stand(edge, servers, start)


@contextlib.contextmanager
def in_front(
    servers: Sequence[Server], folder: Path, changes: Changes | None = None
) -> Iterator[Edge]:
    """Run nginx in front of one or two gunicorns, without its rate limits."""
    ports = [server.port for server in servers]
    every = {name: dict(texts) for name, texts in UNLIMITED.items()}
    if len(ports) == 1:
        ports.append(free_port())
        line = f"    server 127.0.0.1:{ports[1]} max_fails=3 fail_timeout=1s;\n"
        every["nginx/upstream.conf"] = {line: ""}
    for name, texts in (changes or {}).items():
        every[name] = every.get(name, {}) | dict(texts)
    with nginx(folder, ports, every) as edge:
        yield edge


@contextlib.contextmanager
def usual(ground: Ground, count: int) -> Iterator[Stand]:
    """Share a stand with default settings; after an exception, it is closed and not reused."""
    if count not in ground.stands:
        stack = contextlib.ExitStack()
        ground.stands[count] = stack, stack.enter_context(stand(ground, count))
    try:
        yield ground.stands[count][1]
    except BaseException:
        ground.stands.pop(count)[0].close()
        raise


def workers(server: Server) -> set[int]:
    """Return the process ids of its workers."""
    return set(children(server.process.pid))


def worker_of(server: Server) -> int:
    """Return the process id of its only worker, waiting while a worker is replaced."""
    until(lambda: len(workers(server)) == 1)
    return next(iter(workers(server)))


def is_ready(server: Server) -> bool:
    """Return whether /readyz answers 200."""
    with contextlib.suppress(OSError):
        return server.door.send("GET", "/readyz").status == 200
    return False


def replaced(server: Server, old: int) -> float:
    """Wait until a worker other than ``old`` is ready; return the time in seconds."""
    return until(lambda: bool(workers(server)) and old not in workers(server) and is_ready(server))


def is_idle(server: Server) -> bool:
    """Return whether its metrics show no busy place and no queue."""
    samples = scraped(server.door)
    return samples.of("places_in_use") == 0 and samples.of("queue_length") == 0
