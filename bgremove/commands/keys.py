"""`bgremove keys add`, `list` and `revoke`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from bgremove.commands.help import manual
from bgremove.keys import edit
from bgremove.keys.lines import FileFaultError, read_lines

EPILOG = manual(
    examples={
        "bgremove keys add 'Acme, shop'": "prints the key, this once; the file gets its hash",
        "bgremove keys list": "ids, dates and labels",
        "bgremove keys revoke 'Acme, shop'": "by label or id",
    },
    exit_codes={0: "done", 1: "the file cannot be used, and why", 2: "wrong usage"},
    environment={"BGREMOVE_API_KEYS_FILE": "the file of keys, unless --file names it"},
)
file_option = click.option(
    "--file",
    "path",
    envvar="BGREMOVE_API_KEYS_FILE",
    required=True,
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file of keys.",
)


@click.group("keys", epilog=EPILOG, short_help="Make, list and revoke API keys.")
def command() -> None:
    """Make, list and revoke API keys.

    A server that runs reads the file again within a second or two.
    """


@command.command()
@click.argument("label")
@file_option
def add(label: str, path: Path) -> None:
    """Make a key for LABEL and print it, this once."""
    with _told(path):
        key, line = edit.add(path, label)
    click.echo(key)
    click.echo(f"{line.id} ({label}) written to {path}; the key is shown this once", err=True)


@command.command(name="list")
@file_option
def list_(path: Path) -> None:
    """Print the id, date and label of each key."""
    with _told(path):
        lines = read_lines(path.read_bytes())
    for line in lines:
        click.echo(f"{line.id}  {line.created}  {line.label}")
    if not lines:
        click.echo("No keys: nobody is let in", err=True)


@command.command()
@click.argument("label")
@file_option
def revoke(label: str, path: Path) -> None:
    """Take the key with this LABEL (or id) out."""
    with _told(path):
        line = edit.revoke(path, label)
    click.echo(f"{line.id} ({line.label}) revoked")


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Report an invalid or unreadable key file as a ClickException that names the file."""
    try:
        yield
    except FileFaultError as fault:
        raise click.ClickException(f"{path}: {fault}") from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
