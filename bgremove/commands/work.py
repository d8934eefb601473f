"""The pictures of a call of `bgremove remove`, and the backend that processes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import click

from bgremove.batch.records import STANDARD, Job, Outcome
from bgremove.batch.remembered import made_since
from bgremove.batch.run import run
from bgremove.batch.sources import find, left_out
from bgremove.batch.targets import beside, check_writable, means_file, plan
from bgremove.commands import engine
from bgremove.commands.computing import Services, computing
from bgremove.commands.report import kinds_in_words
from bgremove.commands.stopping import Stop
from bgremove.commands.watching import batches, check_folders
from bgremove.errors import PlanError
from bgremove.options import Options


@dataclass(frozen=True, slots=True)
class Work:
    """The number of pictures, None if unknown, and the function that processes them."""

    total: int | None
    run: Callable[[Stop], Iterator[Outcome]]


@dataclass(frozen=True, slots=True)
class Batch:
    """Pictures, their output and the options of their removal."""

    photos: tuple[str, ...]
    output: str | None
    options: Options
    recursive: bool
    overwrite: bool

    def once(self, services: Services, at_once: int | None) -> Work:
        """Process the existing pictures; raises UsageError if there are none."""
        jobs = self.jobs()
        if not jobs:
            others = kinds_in_words(self.left_out().values())
            but = f", only {others}" if others else ""
            raise click.UsageError(f"no pictures in {', '.join(self.photos)}{but}")
        return Work(len(jobs), lambda stop: self._run([jobs], services, at_once, stop))

    def watched(self, settle_s: float, services: Services, at_once: int | None) -> Work:
        """Process existing pictures, then new ones; raises UsageError if watching cannot start."""
        folders = check_folders(self.photos, self.output)
        self.jobs()

        def rounds(stop: Stop) -> Iterator[Outcome]:
            return self._run(batches(folders, settle_s, stop, self._plan), services, at_once, stop)

        return Work(None, rounds)

    def on(self, cluster: engine.Cluster) -> Work:
        """Process the existing pictures on a cluster; raises UsageError and ClickException."""
        jobs = engine.plan(
            self.photos,
            self.output or "",  # the command requires it
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
        """List the folders and return the jobs; raises UsageError."""
        try:
            jobs = self._plan()
            check_writable(jobs)
        except PlanError as error:
            raise click.UsageError(error.message) from error
        return jobs

    def _plan(self) -> list[Job]:
        out = None if self.output is None else Path(self.output)
        found = find(self.photos, out, recursive=self.recursive)
        if self.output is None or out is None:
            jobs = beside(found, self.options, overwrite=self.overwrite)
        else:
            jobs = plan(found, self.output, self.options.suffix, overwrite=self.overwrite)
        if out is None or not jobs or self.output == STANDARD or means_file(str(out)):
            return jobs
        since_ns = made_since(out, self.options)
        return [replace(job, since_ns=since_ns) for job in jobs]

    def left_out(self) -> dict[Path, str]:
        """Return the files in the folders that are not named as pictures, with their kinds."""
        return left_out(self.photos, recursive=self.recursive)
