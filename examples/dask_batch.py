"""Cut out a folder of pictures on many machines: Dask spreads the work, fsspec reads and writes.

    python examples/dask_batch.py s3://shop/photos s3://shop/cutouts --scheduler tcp://head:8786

A worker takes its settings from its own environment and loads the models once. A picture whose
cut-out is there is left out, so the same command goes on where it was interrupted. docs/batch.md
tells how to start workers.
"""

from __future__ import annotations

import json
import os
import posixpath
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import PurePosixPath

import click
import fsspec
from dask.distributed import Client, Future, LocalCluster, as_completed
from fsspec.implementations.local import LocalFileSystem

from bgremove.batch.local import LocalRemover
from bgremove.batch.records import Wanted
from bgremove.batch.sources import SUFFIXES
from bgremove.batch.targets import target_names
from bgremove.datatypes import OutputFormat, Subject
from bgremove.settings import Settings

AHEAD = 3  # pictures handed out for each thread of the cluster: none waits, and none hoards
Job = tuple[str, str]  # the URLs of a picture and of its cut-out
Told = dict[str, object]  # a line of the output


def plan(source: str, target: str, suffix: str) -> tuple[list[Job], int]:
    """Return what is to be done, and how many cut-outs are there already."""
    files, top = fsspec.core.url_to_fs(source)
    others, out = fsspec.core.url_to_fs(target)
    pictures = [PurePosixPath(path) for path in sorted(files.find(top)) if _is_picture(path)]
    names = target_names([picture.relative_to(top) for picture in pictures], suffix)
    there = {path for path, info in others.find(out, detail=True).items() if info["size"]}
    jobs = [
        (files.unstrip_protocol(str(picture)), others.unstrip_protocol(goal))
        for picture, name in zip(pictures, names, strict=True)
        if (goal := posixpath.join(out, name)) not in there
    ]
    return jobs, len(names) - len(jobs)


def cut_out(job: Job, wanted: Wanted) -> Told:
    """Do one job on a worker, and tell what became of it.

    Raises what the file systems raise, and WeightsError on a worker without weights.
    """
    source, target = job
    remover = LocalRemover(
        Settings.from_env(os.environ), wanted
    )  # all share their process's engine
    remover.engine()
    files, path = fsspec.core.url_to_fs(source)
    result = remover(files.cat_file(path))
    if result.record.code is None:
        write(target, result.data)
    return _told(job, result.record.code, result.record.message) | {"worker": os.getpid()}


def write(target: str, data: bytes) -> None:
    """Write a cut-out whole: a store takes an object at once, a folder takes a file renamed."""
    files, path = fsspec.core.url_to_fs(target)
    files.makedirs(posixpath.dirname(path), exist_ok=True)
    if isinstance(files, LocalFileSystem):
        part = posixpath.join(posixpath.dirname(path), f".{posixpath.basename(path)}.{os.getpid()}")
        files.pipe_file(part, data)
        os.replace(part, path)
    else:
        files.pipe_file(path, data)


def run(client: Client, jobs: Sequence[Job], wanted: Wanted) -> Iterator[Told]:
    """Yield what became of each picture; one whose worker died is done by another."""
    waiting = iter(jobs)
    of: dict[str, Job] = {}

    def hand_out(count: int) -> list[Future]:
        taken = list(islice(waiting, count))
        futures = [client.submit(cut_out, job, wanted, pure=False) for job in taken]
        of.update({future.key: job for future, job in zip(futures, taken, strict=True)})
        return futures

    running = as_completed(hand_out(AHEAD * max(1, sum(client.nthreads().values()))))
    for future in running:
        error = future.exception()
        job = of.pop(future.key)
        yield future.result() if error is None else _told(job, "FAILED", repr(error))
        running.update(hand_out(1))


def _is_picture(path: str) -> bool:
    name = PurePosixPath(path)
    return name.suffix.lower() in SUFFIXES and not name.name.startswith(".")


def _told(job: Job, code: str | None, message: str | None) -> Told:
    return {"input": job[0], "output": job[1], "code": code, "message": message}


@click.command()
@click.argument("source")
@click.argument("target")
@click.option("--scheduler", metavar="ADDRESS", help="Of a cluster, as tcp://HOST:8786.")
@click.option(
    "--workers", default=2, show_default=True, help="Of this machine, without --scheduler."
)
@click.option("--subject", type=click.Choice([s.value for s in Subject]), default="universal")
@click.option(
    "--format", "kind", type=click.Choice([f.value for f in OutputFormat]), default="transparent"
)
def main(
    source: str, target: str, scheduler: str | None, workers: int, subject: str, kind: str
) -> None:
    """Cut out every picture below SOURCE into TARGET: folders, or URLs that fsspec knows."""
    wanted = Wanted(Subject(subject), OutputFormat(kind))
    jobs, skipped = plan(source, target, wanted.suffix)
    failed = 0
    if jobs:
        cluster = scheduler or LocalCluster(
            n_workers=workers, threads_per_worker=1, host="127.0.0.1", dashboard_address=None
        )
        with Client(cluster) as client:
            for told in run(client, jobs, wanted):
                failed += told["code"] is not None
                click.echo(json.dumps(told))
    click.echo(f"{len(jobs) - failed} done, {skipped} skipped, {failed} failed", err=True)
    raise SystemExit(1 if failed else 0)


if __name__ == "__main__":
    main()
