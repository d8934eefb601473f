"""`bgremove openapi`."""

from __future__ import annotations

import os

import click

from bgremove.errors import SettingsError
from bgremove.settings import Settings


@click.command()
def openapi() -> None:
    """Print the OpenAPI document of a server with the settings of this environment."""
    from bgremove.api.description import Description

    try:
        settings = Settings.from_env(os.environ)
    except SettingsError as error:
        raise click.ClickException(error.message) from error
    click.echo(Description(settings).text, nl=False)
