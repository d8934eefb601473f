"""The command line: the list of its commands, each in a module of `bgremove.commands`."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from bgremove import __version__
from bgremove.installation import check_system

# Commands are imported when they are run or listed: shell completion and `remove --server` do not
# load libraries that they do not use.
COMMANDS = ("remove", "serve", "doctor", "keys", "settings", "weights", "openapi")


class Commands(click.Group):
    """The group of commands."""

    def main(self, *arguments: Any, **named: Any) -> Any:
        """Run a command; exits with one sentence on a system that is not supported."""
        try:
            check_system()
        except ImportError as error:
            sys.exit(str(error))
        return super().main(*arguments, **named)

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names, in order."""
        del context
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        del context
        if name not in COMMANDS:
            return None
        command: click.Command = import_module(f"bgremove.commands.{name}").command
        return command


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="bgremove")
def main() -> None:
    """Remove the background of pictures, on the command line or as an HTTP service.

    `bgremove COMMAND --help` shows the examples, exit codes and environment of each command.
    """
