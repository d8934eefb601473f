"""`bgremove openapi`: print the OpenAPI document of the HTTP API."""

from __future__ import annotations

import click

from bgremove.commands.common import manual, read_settings

EPILOG = manual(
    examples={
        "bgremove openapi > openapi.json": "for a client generator",
        "BGREMOVE_MAX_UPLOAD_BYTES=1000000 bgremove openapi": "for a service with another limit",
    },
    exit_codes={0: "printed", 1: "the settings are invalid", 2: "wrong usage"},
    environment={"BGREMOVE_*": "settings, such as limits, that the document states"},
)


@click.command("openapi", epilog=EPILOG, short_help="Print the OpenAPI document.")
def command() -> None:
    """Print the OpenAPI 3.1 document of a service with the current settings."""
    from bgremove.app import describe

    click.echo(describe(read_settings()).text, nl=False)
