"""Start a program that listens on loopback, wait until it answers, and end it."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import psutil

from harness.http import HOST
from harness.processes import tree

ROOT = Path(__file__).resolve().parent.parent
START_S, STOP_S = 60.0, 40.0  # timeouts, far above the measured times
ORPHAN_GRACE_S = 2.0  # until children that outlive their parent are killed
LOOK_EVERY_S = 0.02
# Linux takes the ports of clients from 32768 up: a port below stays free until its server binds it.
PORTS = range(10_000, 32_000)
# Variables of the shell that would change a server; those of bgremove are dropped as well.
DROPPED = {"HOST", "PORT", "WEB_CONCURRENCY", "GUNICORN_CMD_ARGS", "OMP_NUM_THREADS", "PYTHONPATH"}


class ServerError(Exception):
    """A server did not start, or did not answer as it must; the message has the end of its log."""


class NotInstalledError(Exception):
    """A required program is not installed; the message names it."""


def free_ports(count: int) -> list[int]:
    """Return distinct free loopback ports.

    They are chosen at random, so that processes that call this at the same time get different ones.
    """
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < count:
            port = PORTS[secrets.randbelow(len(PORTS))]  # `random` is seeded by Hypothesis
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server((HOST, port)))
                ports.append(port)
        return ports


def free_port() -> int:
    """Return a free loopback port."""
    return free_ports(1)[0]


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment, without the variables of servers, plus ``more``."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in DROPPED and not name.startswith("BGREMOVE_")
    }
    return kept | dict(more)


@contextlib.contextmanager
def running(
    command: Sequence[str | Path],
    log: Path,
    is_up: Callable[[], bool],
    env: Mapping[str, str],
    *,
    cwd: Path = ROOT,
    start_s: float = START_S,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in its own session until the block ends.

    Args:
        command: The program and its arguments.
        log: The file that gets its standard output and error.
        is_up: Returns whether the server answers; called until it returns True.
        env: The whole environment of the server.
        cwd: The working directory of the server.
        start_s: The time in which the server must answer, in seconds.

    Yields:
        The first process of the server.

    Raises:
        ServerError: The server ended while starting, or did not answer in time.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(word) for word in command],
            cwd=cwd,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        _wait(process, log, is_up, start_s)
        yield process
    finally:
        stop(process)


def stop(process: subprocess.Popen[bytes], stop_s: float = STOP_S) -> int:
    """End a program and its children, cleanly if possible; return its exit status.

    Raises:
        subprocess.TimeoutExpired: The program did not end after SIGTERM, and was killed.
    """
    if process.returncode is not None:
        return process.returncode  # its id may be another process's by now
    left = tree(process.pid)
    try:
        process.send_signal(signal.SIGTERM)
        return process.wait(stop_s)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(stop_s)
        raise
    finally:
        _end((left | tree(process.pid)) - {process.pid})


def last_words(log: Path) -> str:
    """Return the end of a log on one line."""
    lines = log.read_text("utf-8", errors="replace").split("\n")
    return " | ".join([line.strip() for line in lines if line.strip()][-3:])[-2000:]


def _wait(
    process: subprocess.Popen[bytes], log: Path, is_up: Callable[[], bool], start_s: float
) -> None:
    end = time.monotonic() + start_s
    while not is_up():
        if process.poll() is not None:
            raise ServerError(f"{process.args!r} ended while starting: {last_words(log)}")
        if time.monotonic() > end:
            raise ServerError(f"{process.args!r} not up after {start_s:g} s: {last_words(log)}")
        time.sleep(LOOK_EVERY_S)


def _end(pids: set[int]) -> None:
    """Wait briefly for children that exit with their parent, then kill the others by their ids."""
    deadline = time.monotonic() + ORPHAN_GRACE_S
    while pids := {pid for pid in pids if psutil.pid_exists(pid)}:
        if time.monotonic() > deadline:
            break
        time.sleep(LOOK_EVERY_S)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
