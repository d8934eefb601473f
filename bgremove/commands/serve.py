"""`bgremove serve`: the server of the deployment, started from the package."""

from __future__ import annotations

import os
import socket
import sys
from pathlib import Path

import click

import bgremove
from bgremove.commands.common import environment, manual, prepare, read_settings

CONFIGURATION = Path(bgremove.__file__).with_name("gunicorn_conf.py")
EPILOG = manual(
    examples={
        "bgremove serve": "on http://127.0.0.1:8000, reachable from this machine only",
        "bgremove serve --host 0.0.0.0 --port 8080": "for other machines too; set API keys first",
        "bgremove serve --log-format json > log.jsonl": "with logs in JSON",
    },
    exit_codes={0: "stopped", 1: "the service could not start", 2: "wrong usage"},
    environment={
        "HOST, PORT, WEB_CONCURRENCY": "defaults of --host, --port and --workers",
        "BGREMOVE_*": "settings; `bgremove settings` lists them",
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
    help="Number of worker processes; each loads its own models.",
)
@click.option(
    "--log-format",
    type=click.Choice(["auto", "json", "text"]),
    help="Format of log lines; auto is text on a terminal and json elsewhere.  [default: auto]",
)
@click.option("--offline", is_flag=True, help="Never download models.")
def command(host: str, port: int, workers: int, log_format: str | None, offline: bool) -> None:
    """Start the HTTP service: a web page at /, the API at /v1/remove-bg/universal.

    The command runs gunicorn with bgremove's configuration. The first start downloads the models.
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
        advice = "choose another port: bgremove serve --port 8080"
        if isinstance(error, socket.gaierror):
            advice = "the host is an address or name of this machine, such as 127.0.0.1 or ::1"
        raise click.ClickException(
            f"nothing can listen on {host}:{port} ({reason}); {advice}"
        ) from error
