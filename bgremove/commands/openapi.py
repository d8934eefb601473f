"""`bgremove openapi`: print the OpenAPI document of the HTTP API."""

from __future__ import annotations

import click

from bgremove.commands.environment import read_settings
from bgremove.commands.help import manual

EPILOG = manual(
    examples={
        "bgremove openapi > openapi.json": "for a generator of clients",
        "BGREMOVE_MAX_UPLOAD_BYTES=1000000 bgremove openapi": "of a server with other limits",
    },
    exit_codes={0: "printed", 1: "the settings are wrong, and how", 2: "wrong usage"},
    environment={"BGREMOVE_*": "the settings that the document speaks of"},
)


@click.command("openapi", epilog=EPILOG, short_help="Print the OpenAPI document.")
def command() -> None:
    """Print the OpenAPI 3.1 document of a server with the settings of this environment."""
    from bgremove.app import describe

    click.echo(describe(read_settings()).text, nl=False)
