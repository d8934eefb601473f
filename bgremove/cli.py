"""The command line: the list of its commands, each in a module of its own."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Any

import click

from bgremove import __version__
from bgremove.installation import check_system

# Commands are imported when they are run or listed: shell completion and `remove --server` do not
# load libraries that they do not use.
COMMANDS = {
    "remove": "bgremove.commands.remove",
    "serve": "bgremove.commands.serve",
    "doctor": "bgremove.commands.doctor",
    "keys": "bgremove.commands.keys",
    "settings": "bgremove.commands.settings",
    "weights": "bgremove.commands.weights",
}
FOR_MAINTAINERS = {
    "calibrate": "bgremove.commands.calibrate",
    "openapi": "bgremove.commands.openapi",
}


class Commands(click.Group):
    """A group of commands, those for the maintainers of bgremove listed apart."""

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
        return [*COMMANDS, *FOR_MAINTAINERS]

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        """Import a command."""
        del context
        module = (COMMANDS | FOR_MAINTAINERS).get(name)
        if module is None:
            return None
        command: click.Command = import_module(module).command
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands in two sections."""
        for title, names in (("Commands", COMMANDS), ("For maintainers", FOR_MAINTAINERS)):
            rows = []
            for name in names:
                command = self.get_command(context, name)
                rows.append((name, command.get_short_help_str(80) if command else ""))
            with formatter.section(title):
                formatter.write_dl(rows)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, package_name="bgremove")
def main() -> None:
    """Remove the background of pictures, on the command line or as an HTTP service.

    `bgremove COMMAND --help` shows the examples, exit codes and environment of each command.
    """
