"""`bgremove keys add`, `list` and `revoke`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import click

from bgremove.commands.common import manual
from bgremove.keys import edit
from bgremove.keys.ring import FileFaultError, read_lines

EPILOG = manual(
    examples={
        "bgremove keys add 'Acme, shop'": "print a new key once; its hash goes into the file",
        "bgremove keys list": "list ids, dates and labels",
        "bgremove keys revoke 'Acme, shop'": "revoke a key by label or id",
    },
    exit_codes={0: "done", 1: "the key file is invalid or cannot be used", 2: "wrong usage"},
    environment={"BGREMOVE_API_KEYS_FILE": "the key file, if --file is not given"},
)
file_option = click.option(
    "--file",
    "path",
    envvar="BGREMOVE_API_KEYS_FILE",
    required=True,
    show_envvar=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="Key file.",
)


@click.group("keys", epilog=EPILOG, short_help="Add, list and revoke API keys.")
def command() -> None:
    """Add, list and revoke API keys.

    A running service reads the file again within two seconds.
    """


@command.command()
@click.argument("label")
@file_option
def add(label: str, path: Path) -> None:
    """Add a key for LABEL and print it. It is not shown again."""
    with _reported(path):
        key, line = edit.add(path, label)
    click.echo(key)
    click.echo(f"{line.id} ({label}) written to {path}; the key is not shown again", err=True)


@command.command(name="list")
@file_option
def list_(path: Path) -> None:
    """Print the id, date and label of each key."""
    with _reported(path):
        lines = read_lines(path.read_bytes())
    for line in lines:
        click.echo(f"{line.id}  {line.created}  {line.label}")
    if not lines:
        click.echo("No keys: every request is refused", err=True)


@command.command()
@click.argument("label")
@file_option
def revoke(label: str, path: Path) -> None:
    """Revoke the key with this LABEL or id."""
    with _reported(path):
        line = edit.revoke(path, label)
    click.echo(f"{line.id} ({line.label}) revoked")


@contextlib.contextmanager
def _reported(path: Path) -> Iterator[None]:
    """Report an invalid or unreadable key file as a ClickException that names the file."""
    try:
        yield
    except FileFaultError as fault:
        raise click.ClickException(f"{path}: {fault}") from None
    except UnicodeDecodeError:
        raise click.ClickException(f"{path}: not UTF-8 text") from None
    except OSError as error:
        raise click.ClickException(f"{path}: {error.strerror}") from error
