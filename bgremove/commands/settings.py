"""`bgremove settings`: print the settings in force."""

from __future__ import annotations

import json
from dataclasses import fields

import click

from bgremove.commands.common import environment, manual, read_settings
from bgremove.settings import PREFIX, Settings

EPILOG = manual(
    examples={
        "bgremove settings": "list all settings",
        "BGREMOVE_TIMEOUT_S=60 bgremove settings --json | jq .BGREMOVE_TIMEOUT_S": "one setting",
    },
    exit_codes={0: "printed", 1: "the settings are invalid", 2: "wrong usage"},
    environment={"BGREMOVE_*": "settings"},
)
HIDDEN = "(set, not shown)"


@click.command("settings", epilog=EPILOG, short_help="Print the current settings.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def command(as_json: bool) -> None:
    """Print the current settings. A star marks those set in the environment."""
    values = _values(read_settings())
    if as_json:
        click.echo(json.dumps(values, indent=2, default=str))
        return
    width = max(map(len, values))
    for name, value in values.items():
        mark = "*" if name in environment() else " "
        click.echo(f"{mark} {name:<{width}}  {value}".rstrip())


def _values(settings: Settings) -> dict[str, object]:
    values = {}
    for row in fields(Settings):
        value = getattr(settings, row.name)
        is_secret = row.metadata["secret"] and value
        values[PREFIX + row.name.upper()] = HIDDEN if is_secret else value
    return values
