"""The servers of `make bench`, bgremove and rembg, started, called and ended the same way."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from bench.load import Endpoint
from harness.http import HOST, PATH, status_of
from harness.programs import environment, free_port, running

START_S = 120.0  # timeout; rembg imports for long on a slow disk


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
        post_path=PATH,
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


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and its start-up time, in seconds."""

    target: Target
    endpoint: Endpoint
    process: subprocess.Popen[bytes]
    log: Path
    startup_s: float

    @property
    def is_alive(self) -> bool:
        """True while the server is running."""
        return self.process.poll() is None


@contextmanager
def started(target: Target, logs: Path) -> Iterator[Server]:
    """Run a server until the block ends.

    Raises:
        ServerError: It did not start.
    """
    port = free_port()
    endpoint = Endpoint(port, target.post_path, target.file_field, target.fields)
    log = logs / f"{target.label.replace(' ', '-')}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [part.format(port=port) for part in target.command]
    env = {name: value.format(port=port) for name, value in target.environment.items()}

    def is_up() -> bool:
        return status_of(port, target.ready_path) == 200

    began = time.monotonic()
    with (
        suppress(subprocess.TimeoutExpired),  # killed at the end; what was measured is valid
        running(command, log, is_up, environment(env), start_s=START_S) as process,
    ):
        yield Server(target, endpoint, process, log, time.monotonic() - began)
