"""`bgremove serve`: the server of the deployment, started from the package."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import click

import bgremove
from bgremove.commands.environment import environment, prepare, read_settings
from bgremove.commands.help import manual

CONFIGURATION = Path(bgremove.__file__).with_name("gunicorn_conf.py")
EPILOG = manual(
    examples={
        "bgremove serve": "at http://127.0.0.1:8000, for this machine",
        "bgremove serve --host 0.0.0.0 --port 8080": "for others as well: set API keys first",
        "bgremove serve --log-format json > log.jsonl": "logs for a program",
    },
    exit_codes={0: "stopped", 1: "it could not start, and why", 2: "wrong usage"},
    environment={
        "HOST, PORT, WEB_CONCURRENCY": "defaults of --host, --port and --workers",
        "BGREMOVE_*": "the settings; `bgremove settings` lists them",
    },
)


@click.command("serve", epilog=EPILOG, short_help="Start the HTTP service.")
@click.option(
    "--host",
    envvar="HOST",
    show_envvar=True,
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on.",
)
@click.option(
    "--port",
    envvar="PORT",
    show_envvar=True,
    type=click.IntRange(1, 65_535),
    default=8000,
    show_default=True,
    help="Port to listen on.",
)
@click.option(
    "--workers",
    envvar="WEB_CONCURRENCY",
    show_envvar=True,
    type=click.IntRange(1, 256),
    default=1,
    show_default=True,
    help="Processes; each has its own models in memory.",
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "json", "text"]),
    help="Lines on standard output; auto: text on a terminal, else json.  [default: auto]",
)
@click.option("--offline", is_flag=True, help="Never fetch weights.")
def command(host: str, port: int, workers: int, log_format: str | None, offline: bool) -> None:
    """Start the HTTP service: the page at /, the API at /v1/remove-bg/universal.

    It is gunicorn with the settings of the deployment. The first start fetches the models.
    """
    settings = read_settings()
    _check_address(host, port)
    if not offline:  # otherwise `/readyz` and the log name the missing weights until they exist
        prepare(settings, offline=False)
    chosen = {"HOST": host, "PORT": str(port), "WEB_CONCURRENCY": str(workers)}
    if log_format is not None:
        chosen["BGREMOVE_LOG_FORMAT"] = log_format
    gunicorn = [sys.executable, "-m", "gunicorn", "--config", str(CONFIGURATION)]
    os.execve(  # noqa: S606 -- no shell; gunicorn takes this process's place, and its signals
        sys.executable, [*gunicorn, "bgremove:create_app()"], dict(environment()) | chosen
    )


def _check_address(host: str, port: int) -> None:
    """Raise ClickException if the address cannot be bound; gunicorn would retry for 5 seconds."""
    try:
        family = socket.getaddrinfo(host, port)[0][0]
        socket.create_server((host, port), family=family).close()
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else error.strerror
        raise click.ClickException(
            f"nothing can listen on {host}:{port} ({reason});"
            " choose another port: bgremove serve --port 8080"
        ) from error
