"""A worker has descriptors for its connections, and outlives the moment when it has none."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import fields

import pytest

from bgremove.serving.capacity import MOST, READERS, SPARE_THREADS, connections_for
from bgremove.settings import Settings
from harness.processes import children, descriptors
from tests.support.http import ROOT, START_S, Server, gunicorn
from tests.support.tiny import tiny_weights

LITTLE = 512
FEW = 4  # descriptors, fewer than the connections of the test without any


@contextlib.contextmanager
def little() -> Iterator[None]:
    """Have what is started within begin with a low limit of open files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (LITTLE, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
    folder = tmp_path_factory.mktemp("gunicorn")
    with contextlib.ExitStack() as stack:
        with little():
            settings = {"BGREMOVE_WEIGHTS_DIR": str(weights)}
            server = stack.enter_context(gunicorn(folder, settings))
        yield server


def worker_of(server: Server) -> int:
    (worker,) = children(server.process.pid)
    return worker


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + START_S
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.05)


def check_life(sock: socket.socket, header: bytes = b"") -> None:
    """Ask on a connection that is kept, and read the answer whole."""
    sock.sendall(b"GET /livez HTTP/1.1\r\nHost: x\r\n" + header + b"\r\n")
    answer = b""
    while b'"live"' not in answer:
        block = sock.recv(4096)
        assert block, answer
        answer += block
    assert answer.startswith(b"HTTP/1.1 200 ")


def test_more_connections_than_the_limit_lets_in_are_no_matter(server: Server) -> None:
    worker = worker_of(server)
    soft, hard = resource.prlimit(worker, resource.RLIMIT_NOFILE)
    assert soft > MOST or soft == hard
    idle = descriptors(worker)
    with contextlib.ExitStack() as stack:
        for _ in range(LITTLE + 50):
            stack.enter_context(server.door.connect())
        assert server.door.send("GET", "/livez").status == 200
    until(lambda: descriptors(worker) <= idle + FEW)
    assert worker_of(server) == worker


def test_a_worker_without_descriptors_lives_and_says_so(server: Server) -> None:
    worker = worker_of(server)
    with contextlib.ExitStack() as stack:
        kept = [stack.enter_context(server.door.connect()) for _ in range(3)]
        for sock in kept:
            check_life(sock)
        before = descriptors(worker)
        limits = resource.prlimit(worker, resource.RLIMIT_NOFILE)
        resource.prlimit(worker, resource.RLIMIT_NOFILE, (before + 2, limits[1]))
        try:
            for _ in range(10):
                stack.enter_context(server.door.connect())
            until(lambda: "no connection is accepted" in server.log.read_text("utf-8"))
            for sock in kept:
                check_life(sock, b"Connection: close\r\n")
        finally:
            resource.prlimit(worker, resource.RLIMIT_NOFILE, limits)
        assert server.door.send("GET", "/livez").status == 200
    until(lambda: descriptors(worker) <= before - len(kept))
    assert worker_of(server) == worker


def test_too_low_a_limit_for_the_settings_stops_the_start() -> None:
    command = [sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"]
    script = f"ulimit -n 300 && exec {' '.join(command)} --check-config"
    env = os.environ | {"BGREMOVE_QUEUE": "20"}
    done = subprocess.run(["sh", "-c", script], cwd=ROOT, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "The limit of open files is 300; 2 places and 36 threads need 472" in done.stderr


def test_the_largest_settings_fit_what_is_shipped() -> None:
    highest = {row.name: row.metadata["high"] for row in fields(Settings)}
    places, queue = highest["places"], highest["queue"]
    threads = places + queue + READERS + SPARE_THREADS
    with little():
        assert connections_for(places, threads) >= 2 * threads
    unit = (ROOT / "deploy/systemd/bgremove@.service").read_text("utf-8")
    (tasks,) = re.findall(r"^TasksMax=(\d+)$", unit, re.MULTILINE)
    assert threads + places < int(tasks)  # a decoder for each place
