"""`bgremove remove`: remove the backgrounds of pictures, in this process or on other machines."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import click

from bgremove.batch.plan import Plan, check_writable, plan, remember, remembers
from bgremove.batch.records import Job, Outcome, Status
from bgremove.batch.sources import kinds_of
from bgremove.commands.common import manual
from bgremove.commands.engines import engine_of
from bgremove.commands.remove_options import Given, with_parameters
from bgremove.commands.report import Report, kinds_in_words
from bgremove.commands.stopping import Stop, stoppable
from bgremove.errors import PlanError
from bgremove.options import Options

EPILOG = manual(
    examples={
        "bgremove remove photo.jpg": "one picture; writes photo.cutout.png",
        "bgremove remove https://example.com/photo.jpg -o cutout.png": "a picture on the web",
        "bgremove remove photos/ -o cutouts/": "a folder; run it again to continue",
        "bgremove remove 'in/**/*.jpg' -o out/ --format white_bg": "a pattern, on white",
        "bgremove remove photos/ -o shop/ --format white_bg --canvas 2000x2000 --margin 8%": (
            "square pictures for a shop"
        ),
        "curl -s URL | bgremove remove - -o - > cutout.png": "in a pipe",
        "bgremove remove photos/ -o cutouts/ --json > log.jsonl": "with a log for programs",
        "bgremove remove --watch incoming/ -o cutouts/": "every new picture in a folder",
        "bgremove remove photos/ -o cutouts/ --server http://host:8000": "on a bgremove service",
        "bgremove remove s3://shop/in -o s3://shop/out": "in an object store",
        "bgremove remove s3://shop/in -o s3://shop/out --engine dask --scheduler tcp://head:8786": (
            "on a Dask cluster (see docs/batch.md)"
        ),
    },
    exit_codes={
        0: "all pictures are done",
        1: "some pictures failed or were not started",
        2: "wrong usage; nothing was done",
        130: "interrupted with Ctrl-C; run the command again to continue",
        143: "terminated; run the command again to continue",
    },
    environment={
        "BGREMOVE_API_KEY": "API key for --server",
        "BGREMOVE_*": "settings; `bgremove settings` lists them",
    },
)


@click.command("remove", epilog=EPILOG, short_help="Remove the background of pictures.")
@with_parameters
def command(**values: Any) -> None:
    """Remove the background of each PHOTO.

    PHOTO is a file, a folder, a quoted pattern such as 'in/**/*.jpg', an http or https address, or
    - for standard input. PHOTO and OUT can also be in an object store (s3://, gs://, ...) if its
    package is installed.

    In a folder OUT, cut-outs keep the folders and names of their pictures: sub/a.jpg gives
    sub/a.png. If a.jpg and a.png are side by side, they give a.jpg.png and a.png.png.

    Finished cut-outs are skipped, so the same command continues an interrupted run. A cut-out
    appears only when it is complete. A picture that fails does not stop the others.
    """
    given = Given(**values)
    options = given.options()
    folders = _watched_folders(given.photos, given.output) if given.watch else []
    planned = _checked(given, options)
    total = None if given.watch else len(planned.jobs)

    def look() -> list[Job]:
        nonlocal planned
        planned = _plan(given, options)
        return planned.jobs

    with stoppable() as stop, Report(total, as_json=given.as_json, quiet=given.quiet) as report:
        watched = _watched_jobs(folders, given.settle, stop, look)
        for outcome in _outcomes(given, options, watched if given.watch else [planned.jobs], stop):
            report.add(outcome)
        report.leave_out(kinds_of(planned.others))
    click.echo(report.summary(), err=True)
    sys.exit(_exit_code(report, stop))


def _plan(given: Given, options: Options) -> Plan:
    return plan(
        given.photos,
        given.output,
        options,
        recursive=given.recursive,
        overwrite=given.overwrite,
    )


def _checked(given: Given, options: Options) -> Plan:
    """Plan the batch and check that it can be written; raises UsageError."""
    try:
        planned = _plan(given, options)
        check_writable(planned.jobs)
    except PlanError as error:
        raise click.UsageError(error.message) from error
    if not planned.jobs and not given.watch:
        kinds = kinds_in_words(kinds_of(planned.others).values())
        but = f", only {kinds}" if kinds else ""
        raise click.UsageError(f"no pictures in {', '.join(given.photos)}{but}")
    return planned


def _outcomes(
    given: Given, options: Options, rounds: Iterable[list[Job]], stop: Stop
) -> Iterator[Outcome]:
    """Yield the outcome of each picture; models are loaded only if a picture is unfinished."""
    with ExitStack() as stack:
        engine = stack.enter_context(engine_of(given, options, stop)) if given.watch else None
        for jobs in rounds:
            yield from (job.outcome(Status.SKIPPED) for job in jobs if job.is_finished)
            unfinished = [job for job in jobs if not job.is_finished]
            if not unfinished:
                continue
            if engine is None:
                engine = stack.enter_context(engine_of(given, options, stop))
            if remembers(given.output):
                remember(given.output, options)
            yield from engine(unfinished)


def _watched_folders(names: Sequence[str], output: str | None) -> list[Path]:
    """Return the folders to watch; raises UsageError for anything else."""
    for name in names:
        if not Path(name).is_dir():
            raise click.UsageError(f"--watch takes folders; {name} is not one")
    if output is None:
        raise click.UsageError("--watch needs an output folder: -o cutouts/")
    if not remembers(output) or Path(output).is_file():
        raise click.UsageError(f"--watch needs an output folder; {output} names a file")
    return [Path(name) for name in names]


def _watched_jobs(
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
            if gone := [folder for folder in folders if not folder.is_dir()]:
                fault = f"{gone[0]} was removed, so there is nothing to watch"
                raise click.ClickException(fault) from error
            if error.message != reported:
                reported = error.message
                click.echo(f"waiting until this is corrected: {reported}", err=True)
            continue
        reported = ""
        if jobs:
            yield jobs


def _exit_code(report: Report, stop: Stop) -> int:
    if stop.exit_code is not None:
        return stop.exit_code
    return 1 if report.counts[Status.FAILED] or report.left else 0
