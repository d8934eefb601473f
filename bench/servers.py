"""The servers of `make bench`, bgremove and rembg, started, called and ended the same way."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from bench.load import Endpoint, get_status
from bench.process import tree

ROOT = Path(__file__).resolve().parent.parent
HOST = "127.0.0.1"
START_TIMEOUT_S = 120.0
STOP_TIMEOUT_S = 15.0
ORPHAN_GRACE_S = 2.0
# Variables of the shell that could favour or slow one of the two servers.
DROPPED = ("HOST", "PORT", "WEB_CONCURRENCY", "BGREMOVE_PRECISION", "OMP_NUM_THREADS", "PYTHONPATH")


class ServerError(Exception):
    """A server did not start."""


@dataclass(frozen=True, slots=True)
class Target:
    """A server that can be measured; ``{port}`` in the command and environment is filled in."""

    label: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    ready_path: str
    post_path: str
    file_field: str
    fields: tuple[tuple[str, str], ...] = field(default=())


def bgremove(precision: str, workers: int = 1, label: str = "") -> Target:
    """Return the bgremove server, as `make run` starts it."""
    return Target(
        label=label or f"bgremove {precision}",
        command=(sys.executable, "-m", "gunicorn", "-c", "deploy/gunicorn.conf.py", "wsgi:app"),
        environment={
            "HOST": HOST,
            "PORT": "{port}",
            "WEB_CONCURRENCY": str(workers),
            "BGREMOVE_PRECISION": precision,
        },
        ready_path="/readyz",
        post_path="/v1/remove-bg/universal",
        file_field="image",
        fields=(("subject", "universal"), ("output_format", "transparent")),
    )


def rembg(venv: Path, home: Path, weights: Path) -> Target:
    """Return `rembg s` on the same weights, without its web page, which would only add memory.

    rembg neither downloads nor checks a model in its home, so it does not use the network.
    """
    link = home / "models" / "u2net" / "u2net.onnx"
    link.parent.mkdir(parents=True, exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(weights.resolve(strict=True))
    executable = str(venv.resolve() / "bin" / "rembg")
    return Target(
        label="rembg",
        command=(executable, "s", "--host", HOST, "--port", "{port}", "--no-ui", "-l", "warning"),
        environment={
            "U2NET_HOME": str(home.resolve()),
            "BROWSER": "true",  # rembg opens its page in a browser; this command does nothing
            "HF_HUB_OFFLINE": "1",
        },
        ready_path="/openapi.json",
        post_path="/api/remove",
        file_field="file",
        fields=(("model", "u2net"),),
    )


class Server:
    """A running server in its own session, as a context manager; ended by its process id."""

    def __init__(self, target: Target, logs: Path) -> None:
        self.target = target
        self._log = logs / f"{target.label.replace(' ', '-')}.log"
        self.startup_s = 0.0

    def __enter__(self) -> Server:
        port = free_port()
        self.endpoint = Endpoint(
            HOST, port, self.target.post_path, self.target.file_field, self.target.fields
        )
        self._log.parent.mkdir(parents=True, exist_ok=True)
        started = time.monotonic()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(  # noqa: S603 - the commands above, without a shell
                [part.format(port=port) for part in self.target.command],
                cwd=ROOT,
                env=_environment(self.target, port),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready(started + START_TIMEOUT_S)
        except BaseException:
            self.stop()
            raise
        self.startup_s = time.monotonic() - started
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int:
        """The id of the first process."""
        return int(self._process.pid)

    @property
    def is_alive(self) -> bool:
        """True while the server is running."""
        return self._process.poll() is None

    def stop(self) -> None:
        """End the server and any remaining children, each by its process id."""
        left = tree(self.pid)
        self._process.terminate()
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        _end_orphans((left | tree(self.pid)) - {self.pid})

    def _wait_until_ready(self, deadline: float) -> None:
        while get_status(HOST, self.endpoint.port, self.target.ready_path) != 200:
            if not self.is_alive:
                raise ServerError(f"{self.target.label} ended while starting: {self.last_words()}")
            if time.monotonic() > deadline:
                raise ServerError(
                    f"{self.target.label} was not ready after {START_TIMEOUT_S:g} s: "
                    + self.last_words()
                )
            time.sleep(0.02)

    def last_words(self) -> str:
        """Return the end of the log."""
        lines = self._log.read_text(encoding="utf-8", errors="replace").split("\n")
        return " | ".join([line.strip() for line in lines if line.strip()][-3:])[:600]


def free_port() -> int:
    """Return a free port on loopback."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def _environment(target: Target, port: int) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in DROPPED}
    return kept | {name: value.format(port=port) for name, value in target.environment.items()}


def _end_orphans(pids: set[int]) -> None:
    """Wait briefly for children that exit with their parent, then end the rest."""
    deadline = time.monotonic() + ORPHAN_GRACE_S
    while pids and time.monotonic() < deadline:
        pids = {pid for pid in pids if psutil.pid_exists(pid)}
        time.sleep(0.05)
    for pid in pids:
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
