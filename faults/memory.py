"""Memory limits: on the worker, or on all of gunicorn as in a container."""

from __future__ import annotations

import contextlib
import os
import resource
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from faults.clients import Seen, ask
from faults.finding import Finding
from faults.pictures import large_picture, padded_picture
from faults.stand import SMALL, Ground, Stand, is_ready, stand, usual, worker_of
from harness.gunicorn import Server
from harness.processes import children
from harness.waiting import until

MB = 1_000_000
CONTAINER = 1_170 * MB  # enough for one picture of 50 megapixels, not for four at once
SHIPPED = 2_560 << 20  # bytes: the limit of deploy/, for a whole service
CROWD = 26  # clients: the uploads that a worker reads at once, and more
PATIENT = {"BGREMOVE_TIMEOUT_S": "40"}  # memory is measured, at any speed of the machine
MARGIN = 1.2
TOGETHER = 2
CGROUPS = Path("/sys/fs/cgroup/memory")  # of version 1


def limited_data(ground: Ground) -> Iterator[Finding]:
    """Set RLIMIT_DATA on the worker: allocations fail, and the answer reports it."""
    what = f"RLIMIT_DATA of the worker {MARGIN} times what one picture of 50 MP took"
    found = Finding(f"{what}, {TOGETHER} at a time", "pictures of 50 MP: 502 with the envelope")
    large = large_picture()
    with usual(ground, 1) as on:
        server = on.servers[0]
        worker = worker_of(server)
        peak = _data_while(on, worker, large)
        unlimited = resource.prlimit(worker, resource.RLIMIT_DATA)
        bound = int(peak * MARGIN)
        resource.prlimit(worker, resource.RLIMIT_DATA, (bound, unlimited[1]))
        try:
            expected = {"200", "502 UPSTREAM_ERROR", "503 OVERLOADED"}
            found.saw(_ask_together(on, large, ground.times), expected=expected)
            found.saw([ask(on.edge.door, SMALL) for _ in range(ground.times)])
        finally:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(worker, resource.RLIMIT_DATA, unlimited)
        until(lambda: is_ready(server))
        same = worker_of(server) == worker
        found.note(f"limit {bound / MB:,.0f} MB; the worker {'lived on' if same else 'is another'}")
    found.at_most_lost(0)
    yield found


def limited_container(ground: Ground) -> Iterator[Finding]:
    """Use a memory cgroup: the kernel kills the largest process, as in a container."""
    what = f"memory cgroup of {CONTAINER // MB:,} MB, pictures of 50 MP, 4 at a time"
    found = Finding(what, "pictures of 50 MP: a 502 or 503")
    expected = {"200", "502 UPSTREAM_ERROR", "503 OVERLOADED"}
    _contained(ground, found, CONTAINER, {"BGREMOVE_PLACES": "4"}, large_picture(), 4, expected)
    yield found


def shipped_container(ground: Ground) -> Iterator[Finding]:
    """Send pictures at the limit of pixels and of bytes, as many as a worker reads at once."""
    together = CROWD if ground.strict else 4
    what = (
        f"the shipped memory limit of {SHIPPED / MB:,.0f} MB, {together} PNGs of 50 MP and 10 MiB"
    )
    found = Finding(f"{what} at a time", "what is over capacity: 503")
    expected = {"200", "503 OVERLOADED"}
    _contained(ground, found, SHIPPED, PATIENT, padded_picture(), together, expected)
    yield found


def _contained(
    ground: Ground,
    found: Finding,
    limit: int,
    settings: dict[str, str],
    body: bytes,
    together: int,
    expected: set[str],
) -> None:
    """Run gunicorn in a memory cgroup of ``limit`` bytes, and send pictures ``together``."""
    with _cgroup(limit) as group:
        if group is None:
            found.skipped = "takes root and a memory cgroup of version 1"
            return
        with stand(ground, 1, settings) as on:
            server = on.servers[0]
            _move(group, server)
            found.saw(_ask_together(on, body, ground.times, together), expected=expected)
            until(lambda: is_ready(server))
            found.saw([ask(on.edge.door, SMALL) for _ in range(ground.times)])
            failed = int((group / "memory.failcnt").read_text())
            control = (group / "memory.oom_control").read_text().split()
            kills = control[control.index("oom_kill") + 1] if "oom_kill" in control else "?"
            found.note(f"limit reached {failed:,} times")
            most = int((group / "memory.max_usage_in_bytes").read_text())
            found.note(f"{most / MB:,.0f} MB used at most")
            found.note(f"{kills} processes killed by the kernel")
    found.at_most_lost(0)


def _ask_together(on: Stand, body: bytes, times: int, together: int = TOGETHER) -> list[Seen]:
    with ThreadPoolExecutor(together) as clients:
        return list(clients.map(lambda _: ask(on.edge.door, body), range(together * times)))


def _data_while(on: Stand, worker: int, body: bytes) -> int:
    """Return the worker's peak of memory counted by RLIMIT_DATA during an answer, in bytes."""
    peak = 0
    with ThreadPoolExecutor(1) as client:
        answer = client.submit(ask, on.edge.door, body)
        while not answer.done():
            peak = max(peak, _data(worker))
        assert answer.result().outcome == "200", answer.result()
    return peak


def _data(worker: int) -> int:
    for line in Path(f"/proc/{worker}/status").read_text().splitlines():
        if line.startswith("VmData:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmData")


@contextlib.contextmanager
def _cgroup(limit: int) -> Iterator[Path | None]:
    """Create a memory cgroup with a limit; None if that is not possible."""
    group = CGROUPS / f"bgremove-faults-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(limit))
    except OSError:
        yield None
        return
    try:
        yield group
    finally:
        group.rmdir()


def _move(group: Path, server: Server) -> None:
    """Move gunicorn and its children into the group; their future children inherit it."""
    pids = [server.process.pid]
    for pid in pids:
        (group / "cgroup.procs").write_text(str(pid))
        pids += children(pid)
