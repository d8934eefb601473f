"""Exhausted resources: a full disk for nginx, no descriptors and no memory files for the worker."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from faults.clients import ask, outcome_of
from faults.finding import Finding
from faults.pictures import noisy_picture
from faults.stand import LARGE, SMALL, Ground, Stand, in_front, usual, worker_of
from harness.forms import FORM_TYPE
from harness.http import ANSWER_S, PATH, Answer
from harness.nginx import Edge
from harness.processes import descriptors
from harness.waiting import until

DISK_MB = 2  # the picture and its answer are each more than twice as large
MB = 1_000_000
HONEST = {"500 INTERNAL_ERROR", "502 UPSTREAM_ERROR", "503 OVERLOADED"}


def full_disk_for_uploads(ground: Ground) -> Iterator[Finding]:
    """Fill nginx's disk for bodies: large uploads get an envelope, small ones are served.

    Once there is room again, large uploads are served too.
    """
    what = f"no room for nginx's client_body_temp_path, {ground.times} large uploads"
    found = Finding(what, "what does not fit: 500 with the envelope")
    with _on_small_disk(ground, found, "body") as on:
        if on is None:
            yield found
            return
        folder = on.edge.folder / "body"
        refused = [ask(on.edge.door, noisy_picture()) for _ in range(ground.times)]
        found.saw(refused, expected=HONEST)
        found.saw([ask(on.edge.door, SMALL)])
        _enlarge(folder)
        found.saw([ask(on.edge.door, noisy_picture())])
        left = list(folder.rglob("*"))
    found.at_most_lost(0)
    found.expect(not any(one.outcome == "200" for one in refused), "the disk was not full")
    found.expect(not any(path.is_file() for path in left), "temporary files were left behind")
    found.note("small pictures were served meanwhile, large ones as soon as there was room")
    yield found


def full_disk_for_answers(ground: Ground) -> Iterator[Finding]:
    """Fill nginx's disk for an answer that its client reads slowly."""
    what = f"no room for nginx's proxy_temp_path, {ground.times} large answers read slowly"
    found = Finding(what, "what does not fit: cut short of its Content-Length, or an envelope")
    with _on_small_disk(ground, found, "proxy") as on:
        if on is None:
            yield found
            return
        for _ in range(ground.times):
            found.answers[read_late(on.edge)] += 1
        found.saw([ask(on.edge.door, SMALL)])
        _enlarge(on.edge.folder / "proxy")
        outcome = read_late(on.edge)
        found.answers[outcome] += 1
        found.expect(outcome == "200", "the answer did not come whole when there was room")
    allowed = HONEST | {"200", "cut short"}
    found.expect(set(found.answers) <= allowed, "a cut answer looks whole, or is no envelope")
    found.expect("cut short" in found.answers, "the disk was not full")
    yield found


def no_memory_files(ground: Ground) -> Iterator[Finding]:
    """Deny the worker a memory file of the size that a decoded picture needs."""
    what = f"RLIMIT_FSIZE of 4 MB on the worker, {ground.times} pictures that need 6"
    yield from _limited(ground, what, resource.RLIMIT_FSIZE, 4 * MB)


def no_descriptors(ground: Ground) -> Iterator[Finding]:
    """Limit the worker to almost no file descriptors."""
    what = f"RLIMIT_NOFILE on the worker at 2 more than it has open, {ground.times} pictures"
    yield from _limited(ground, what, resource.RLIMIT_NOFILE, None)


def _limited(ground: Ground, what: str, limit: int, bound: int | None) -> Iterator[Finding]:
    found = Finding(what, "these pictures: 502 with the envelope")
    with usual(ground, 1) as on:
        worker = worker_of(on.servers[0])
        opened = descriptors(worker)
        before = resource.prlimit(worker, limit)
        resource.prlimit(worker, limit, (bound or opened + 2, before[1]))
        try:
            refused = [ask(on.edge.door, LARGE) for _ in range(ground.times)]
        finally:
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(worker, limit, before)
        found.saw(refused, expected=HONEST)
        until(lambda: ask(on.edge.door, LARGE).outcome == "200")
        found.saw([ask(on.edge.door, LARGE)])
        found.expect(worker_of(on.servers[0]) == worker, "the worker is another")
    found.at_most_lost(0)
    yield found


@contextlib.contextmanager
def _on_small_disk(ground: Ground, found: Finding, name: str) -> Iterator[Stand | None]:
    """Run a stand whose nginx has a small file system as its folder ``name``; None without root."""
    folder = ground.new("nginx")
    (folder / name).mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MB}m", "tmpfs", str(folder / name)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        found.skipped = "mounting a tmpfs takes root"
        yield None
        return
    try:
        with usual(ground, 1) as on, in_front(on.servers, folder) as edge:
            yield replace(on, edge=edge)
    finally:
        subprocess.run(["umount", str(folder / name)], check=True)


def _enlarge(mounted: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=64m", str(mounted)], check=True)


def read_late(edge: Edge) -> str:
    """Post a picture with a large answer, and read it a second after its first byte."""
    with unhurried(edge.port) as sock:
        sock.sendall(head(noisy_picture()) + noisy_picture())
        first = sock.recv(1024)
        time.sleep(1)
        return _ending(sock, first)


def _ending(sock: socket.socket, first: bytes) -> str:
    parts = [first]
    try:
        while block := sock.recv(1 << 16):
            parts.append(block)
    except OSError:
        return "cut short"
    top, _, body = b"".join(parts).partition(b"\r\n\r\n")
    status, *lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    if len(body) < int(headers.get("content-length", 0)):
        return "cut short"
    return outcome_of(Answer(int(status.split()[1]), headers, body))[0]


def unhurried(port: int) -> socket.socket:
    """Connect with a small receive buffer, so that an answer waits at the server."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.settimeout(ANSWER_S)
    sock.connect(("127.0.0.1", port))
    return sock


def head(body: bytes, more: str = "Connection: close\r\n") -> bytes:
    """Return the head of a request with this body."""
    lines = f"POST {PATH} HTTP/1.1\r\nHost: x\r\nContent-Type: {FORM_TYPE}\r\n{more}"
    return f"{lines}Content-Length: {len(body)}\r\n\r\n".encode()
