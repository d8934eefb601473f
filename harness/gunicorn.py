"""A real gunicorn with the project's own configuration."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import programs
from harness.http import HOST, WireDoor, status_of
from harness.processes import cpu_seconds, tree
from harness.programs import ROOT, free_port, running

SHIPPED_CONFIG = "deploy/gunicorn.conf.py"


@dataclass(frozen=True)
class Server:
    """A running gunicorn: its first process, port and log."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path
    cpu_s: float  # processor time of all its processes until ready

    @property
    def door(self) -> WireDoor:
        """A client of this server."""
        return WireDoor(self.port)

    def lines(self) -> list[dict[str, Any]]:
        """Return the lines of its log, each of which must be JSON."""
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    def stop(self) -> int:
        """Stop it cleanly; return its exit status."""
        return programs.stop(self.process)


@contextlib.contextmanager
def gunicorn(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    wait_for: str = "/readyz",
    application: str = "wsgi:app",
    python: Path | str = sys.executable,
    started_in: Path = ROOT,
    config: str = SHIPPED_CONFIG,
    port: int | None = None,
) -> Iterator[Server]:
    """Run gunicorn on loopback until the block ends.

    Args:
        folder: The folder of its log.
        settings: Environment variables, such as ``BGREMOVE_WEIGHTS_DIR``.
        wait_for: The path that must answer 200 before the block begins.
        application: The WSGI application.
        python: The interpreter.
        started_in: The working directory.
        config: The configuration of gunicorn, from the working directory.
        port: The port; a free one without it.

    Raises:
        ServerError: It did not start.
    """
    port, log = port or free_port(), folder / "gunicorn.log"
    env = programs.environment({"HOST": HOST, "PORT": str(port)} | dict(settings or {}))
    command = [python, "-m", "gunicorn", "-c", config, application]

    def is_up() -> bool:
        return status_of(port, wait_for) == 200

    with running(command, log, is_up, env, cwd=started_in) as process:
        yield Server(process, port, log, cpu_seconds(tree(process.pid)))
