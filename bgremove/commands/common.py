"""Parts that commands share: the environment, the settings, and the end of the help."""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import click

from bgremove.errors import BgremoveError, SettingsError
from bgremove.settings import Settings, unknown_names

KEY_NAME = "BGREMOVE_API_KEY"


def environment() -> Mapping[str, str]:
    """Return the environment; other modules of the commands read it only through this function."""
    return os.environ


def read_settings() -> Settings:
    """Return the settings, and warn about unknown names on standard error.

    Raises ClickException that lists every invalid value.
    """
    for sentence in unknown_names(os.environ):
        click.echo(sentence, err=True)
    try:
        return Settings.from_env(os.environ)
    except SettingsError as error:
        raise click.ClickException(error.message) from error


def prepare(settings: Settings, *, offline: bool) -> None:
    """Fetch missing weights; raises ClickException if those of the default model stay missing."""
    from bgremove.provisioning.first_use import ensure_weights

    try:
        ensure_weights(settings, offline=offline, say=partial(click.echo, err=True))
    except BgremoveError as error:
        raise click.ClickException(error.message) from error


def read_key(file: Path | None) -> str | None:
    """Return the key for services: from ``file``, else from the environment, else None.

    No option takes the key itself, because other users could read it in the process list. Raises
    UsageError for a file that cannot be read or holds no key.
    """
    if file is None:
        return os.environ.get(KEY_NAME) or None
    try:
        key = file.read_text(encoding="ascii").strip()
    except OSError as error:
        raise click.UsageError(f"--key-file {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError:
        key = ""
    if not key or not key.isprintable():
        raise click.UsageError(f"--key-file {file} must hold one key on one line")
    return key


def manual(
    *,
    examples: Mapping[str, str],
    exit_codes: Mapping[int, str],
    environment: Mapping[str, str] | None = None,
) -> str:
    r"""Return the epilog of a command: examples, exit codes and environment.

    ``\b`` keeps click from rewrapping the lines of a paragraph.
    """
    parts = ["\b", "Examples:"]
    for line, meaning in examples.items():
        parts += [f"  # {meaning}", f"  {line}"]
    parts += ["", "\b", "Exit codes:"]
    parts += [f"  {code:<4} {meaning}" for code, meaning in exit_codes.items()]
    if environment:
        parts += ["", "\b", "Environment:"]
        for name, meaning in environment.items():
            parts += [f"  {name}", f"      {meaning}"]
    return "\n".join(parts)
