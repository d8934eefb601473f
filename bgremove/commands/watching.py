"""`bgremove remove --watch`: the jobs of a batch that runs until it is stopped."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from bgremove.batch.plan import remembers
from bgremove.batch.records import Job
from bgremove.errors import PlanError


def check_folders(names: Sequence[str], output: str | None) -> list[Path]:
    """Return the folders to watch; raises UsageError for anything else."""
    for name in names:
        if not Path(name).is_dir():
            raise click.UsageError(f"--watch takes folders; {name} is not one")
    if output is None:
        raise click.UsageError("--watch needs an output folder: -o cutouts/")
    if not remembers(output) or Path(output).is_file():
        raise click.UsageError(f"--watch needs an output folder; {output} names a file")
    return [Path(name) for name in names]


def batches(
    folders: Sequence[Path],
    settle_s: float,
    stop: threading.Event,
    look: Callable[[], list[Job]],
) -> Iterator[list[Job]]:
    """Yield the jobs of existing pictures, then those of new pictures, until ``stop``.

    ``look`` plans all jobs again, because target names depend on the other pictures of a folder. If
    it raises PlanError, the error is reported, and no picture starts until the cause is fixed.
    Raises ClickException if a watched folder is deleted: its events stop for good.
    """
    from bgremove.batch.watch import Watch, looks

    watch = Watch(settle_s)
    shown = ", ".join(map(str, folders))
    click.echo(f"watching {shown} for pictures; press Ctrl-C to stop", err=True)
    reported = ""
    for now in looks(folders, watch, stop):
        try:
            jobs = watch.ready(look(), now)
        except PlanError as error:
            _check_there(folders)
            if error.message != reported:
                reported = error.message
                click.echo(f"waiting until this is corrected: {reported}", err=True)
            continue
        reported = ""
        if jobs:
            yield jobs


def _check_there(folders: Sequence[Path]) -> None:
    for folder in folders:
        if not folder.is_dir():
            raise click.ClickException(f"{folder} was removed, so there is nothing to watch")
