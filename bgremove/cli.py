"""The command line: the list of its commands, each in a module of its own."""

from __future__ import annotations

from importlib import import_module

import click

# A command is imported when it is run or listed: shell completion and `remove --server` need not
# wait for libraries that they do not use.
COMMANDS = {
    "calibrate": "bgremove.commands.calibrate",
    "doctor": "bgremove.commands.doctor",
    "keys": "bgremove.commands.keys",
    "openapi": "bgremove.commands.openapi",
    "remove": "bgremove.commands.remove",
    "settings": "bgremove.commands.settings",
    "weights": "bgremove.commands.weights",
}


class Commands(click.Group):
    """A group whose commands are the `command` of the modules of COMMANDS."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names, in order."""
        del context
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        del context
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(COMMANDS[name]).command
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="bgremove")
def main() -> None:
    """Self-hosted background removal.

    `bgremove COMMAND --help` has examples, the exit codes and the environment of each command.
    """
