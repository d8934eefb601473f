"""What a call of `bgremove remove` is to do, and who does it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from bgremove.batch.records import Job, Outcome
from bgremove.batch.run import run
from bgremove.batch.sources import find
from bgremove.batch.targets import plan
from bgremove.commands import engine
from bgremove.commands.computing import Services, computing
from bgremove.commands.stopping import Stop
from bgremove.commands.watching import batches, check_folders
from bgremove.datatypes import Options
from bgremove.errors import PlanError


@dataclass(frozen=True, slots=True)
class Work:
    """How many pictures there are to do, None where nobody knows, and how they are done."""

    total: int | None
    run: Callable[[Stop], Iterator[Outcome]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures, their output and the options of their removal."""

    photos: tuple[str, ...]
    output: str
    options: Options
    recursive: bool
    overwrite: bool

    def once(self, services: Services, at_once: int | None) -> Work:
        """Do what is there; raises UsageError where nothing is."""
        jobs = self.jobs()
        if not jobs:
            raise click.UsageError(f"no pictures in {', '.join(self.photos)}")
        return Work(len(jobs), lambda stop: self._run([jobs], services, at_once, stop))

    def watched(self, settle_s: float, services: Services, at_once: int | None) -> Work:
        """Do what is there, then what comes; raises UsageError where that cannot be begun."""
        folders = check_folders(self.photos, self.output)
        self.jobs()

        def rounds(stop: Stop) -> Iterator[Outcome]:
            return self._run(batches(folders, settle_s, stop, self._plan), services, at_once, stop)

        return Work(None, rounds)

    def on(self, cluster: engine.Cluster) -> Work:
        """Do what is there on a cluster; raises UsageError and ClickException."""
        jobs = engine.plan(
            self.photos,
            self.output,
            self.options,
            recursive=self.recursive,
            overwrite=self.overwrite,
        )
        return Work(len(jobs), lambda stop: cluster.run(jobs, self.options, stop))

    def _run(
        self, rounds: Iterable[list[Job]], services: Services, at_once: int | None, stop: Stop
    ) -> Iterator[Outcome]:
        with computing(self.options, services, at_once, stop) as (computer, places):
            for jobs in rounds:
                yield from run(
                    jobs, computer, max_bytes=computer.max_bytes, at_once=places, stop=stop
                )

    def jobs(self) -> list[Job]:
        """Look at the folders and say what is to be done; raises UsageError."""
        try:
            return self._plan()
        except PlanError as error:
            raise click.UsageError(error.message) from error

    def _plan(self) -> list[Job]:
        found = find(self.photos, Path(self.output), recursive=self.recursive)
        return plan(found, self.output, self.options.suffix, overwrite=self.overwrite)
