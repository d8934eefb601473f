"""`bgremove remove --watch`: the jobs of a batch that does not end."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import click

from bgremove.batch.records import Job


def check_folders(names: Sequence[str], output: str) -> list[Path]:
    """Return the folders to watch; raises UsageError for anything else."""
    for name in names:
        if not Path(name).is_dir():
            raise click.UsageError(f"--watch takes folders; {name} is none")
    if Path(output).exists() and not Path(output).is_dir():
        raise click.UsageError(f"--watch needs a folder for its cut-outs; {output} is none")
    return [Path(name) for name in names]


def batches(
    folders: Sequence[Path],
    settle_s: float,
    stop: threading.Event,
    look: Callable[[], list[Job]],
) -> Iterator[list[Job]]:
    """Yield the jobs of pictures that are there, and of those that come, until ``stop``.

    ``look`` plans everything anew: names depend on which pictures lie side by side.
    """
    try:
        from bgremove.batch.watch import Watch, looks
    except ModuleNotFoundError as error:
        fault = f"{error.name} is not installed; pip install 'bgremove[cli]' brings it"
        raise click.ClickException(fault) from error
    watch = Watch(settle_s)
    for now in looks(folders, watch, stop):
        jobs = watch.ready(look(), now)
        if jobs:
            yield jobs
