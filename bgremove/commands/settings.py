"""`bgremove settings`: the table of settings."""

from __future__ import annotations

import click

from bgremove.settings import markdown_table


@click.command("settings")
def command() -> None:
    """Print the table of settings, as the README has it.

    Every setting is an environment variable; `bgremove doctor` tells which are set.
    """
    click.echo(markdown_table(), nl=False)
