"""Clients that disconnect before their answer: all their resources must be freed."""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from faults.clients import ask
from faults.finding import Finding
from faults.pictures import noisy_picture
from faults.room import head, unhurried
from faults.stand import SMALL, Ground, Stand, is_idle, usual, worker_of
from harness.gunicorn import Server
from harness.nginx import Edge
from harness.processes import children, descriptors, resident_bytes
from harness.waiting import until

MB = 1_000_000
MORE_MEMORY = 30 * MB  # resident memory that may remain after a hundred such clients
WARM_UP = 3
RESET = struct.pack("ii", 1, 0)  # SO_LINGER of 0 s: closing sends a RST, as a crash does


def gone_at_upload(ground: Ground) -> Iterator[Finding]:
    """Disconnect after half of the body."""
    yield _gone(ground, "half of the upload", _leave_at_upload)


def gone_at_inference(ground: Ground) -> Iterator[Finding]:
    """Disconnect after the whole body, while the picture is processed."""
    yield _gone(ground, "the upload, during inference", _leave_at_inference)


def gone_at_download(ground: Ground) -> Iterator[Finding]:
    """Disconnect after the first kilobyte of the answer."""
    yield _gone(ground, "1 kB of a large answer", _leave_at_download)


def _gone(ground: Ground, when: str, leave: Callable[[int, bool], None]) -> Finding:
    count = ground.count(5)
    what = f"client gone after {when}, {count} times through nginx and {count} directly"
    found = Finding(what, "no place, descriptor, temporary file or memory")
    with usual(ground, 1) as on:
        server = on.servers[0]
        for _ in range(WARM_UP):
            ask(on.edge.door, noisy_picture())
        worker = worker_of(server)
        until(lambda: is_idle(server))
        before = Held.by(on, worker)
        for port in (on.edge.port, server.port):
            for number in range(count):
                leave(port, number % 2 == 0)
        found.note(f"idle again after {until(lambda: is_idle(server)):.1f} s")
        found.saw([ask(on.edge.door, SMALL)])
        # The server notices a broken connection at its next read or write.
        until(lambda: Held.by(on, worker).descriptors <= before.descriptors + 2)
        after = Held.by(on, worker)
        found.expect(worker_of(server) == worker, "the worker is another")
    found.at_most_lost(0)
    found.note(f"descriptors {before.descriptors} → {after.descriptors}")
    found.note(f"resident {before.memory / MB:.0f} → {after.memory / MB:.0f} MB")
    found.expect(after.files == 0, f"{after.files} temporary files were left behind")
    grown = after.memory - before.memory
    found.expect(grown <= MORE_MEMORY, f"{grown / MB:.0f} MB more are resident")
    return found


@dataclass(frozen=True)
class Held:
    """The resources that a worker and nginx hold; memory in bytes."""

    descriptors: int
    memory: int
    files: int

    @classmethod
    def by(cls, on: Stand, worker: int) -> Held:
        """Measure a worker and nginx."""
        return cls(descriptors(worker), memory_of(on.servers[0]), temporary_files(on.edge))


def memory_of(server: Server) -> int:
    """Return the resident memory of its workers and their decoders, in bytes."""
    found = children(server.process.pid)
    found += [child for worker in found for child in children(worker)]
    return resident_bytes(found)


def temporary_files(edge: Edge) -> int:
    """Return the number of nginx's temporary files."""
    folders = [edge.folder / "body", edge.folder / "proxy"]
    return sum(path.is_file() for folder in folders for path in Path(folder).rglob("*"))


def _leave_at_upload(port: int, resets: bool) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        body = noisy_picture()
        sock.sendall(head(body) + body[: len(body) // 2])
        _prepare(sock, resets)


def _leave_at_inference(port: int, resets: bool) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(head(SMALL) + SMALL)
        time.sleep(0.1)  # decoded, and at the inference stage
        _prepare(sock, resets)


def _leave_at_download(port: int, resets: bool) -> None:
    with unhurried(port) as sock:
        sock.sendall(head(noisy_picture()) + noisy_picture())
        sock.recv(1024)
        _prepare(sock, resets)


def _prepare(sock: socket.socket, resets: bool) -> None:
    """Make closing send a RST, as after a crash, or a FIN, as when a program ends."""
    if resets:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
