"""Choose where a batch is processed: in this process, on a service, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

import click

from bgremove.batch.records import Job, Outcome
from bgremove.batch.run import run
from bgremove.commands.environment import prepare, read_key, read_settings
from bgremove.commands.remove_options import Given
from bgremove.commands.stopping import Stop
from bgremove.errors import BgremoveError
from bgremove.machine import available_cpus
from bgremove.options import Options

# Pictures in flight. Here: 4.3 pictures a second with one, 4.8 with two or with three, on 2 cores.
# A service has 2 places; more pictures are uploaded meanwhile.
LEAST_JOBS, MOST_JOBS = 2, 8
SERVER_JOBS = 4

Engine = Callable[[Sequence[Job]], Iterator[Outcome]]


def engine_of(given: Given, options: Options, stop: Stop) -> AbstractContextManager[Engine]:
    """Return the engine of a call; entering it raises ClickException if it is not ready."""
    if given.engine == "dask":
        from bgremove.commands.dask_engine import on_cluster

        return on_cluster(given, options, stop)
    if given.server is not None:
        return _on_server(given.server, given, options, stop)
    return _here(given, options, stop)


@contextmanager
def _here(given: Given, options: Options, stop: Stop) -> Iterator[Engine]:
    from bgremove.batch.local import LocalRemover

    at_once = given.jobs or min(max(LEAST_JOBS, available_cpus()), MOST_JOBS)
    settings = read_settings()
    prepare(settings, offline=given.offline)
    remover = LocalRemover(replace(settings, places=at_once), options)
    try:
        remover.engine()
    except BgremoveError as error:
        raise click.ClickException(
            f"not ready: {error.message}. Run `bgremove weights` to replace damaged files,"
            " or `bgremove doctor` for details"
        ) from error
    try:
        yield lambda jobs: run(
            jobs,
            remover,
            max_bytes=remover.max_bytes,
            at_once=at_once,
            stop=stop,
            min_confidence=given.min_confidence,
        )
    finally:
        remover.close()


@contextmanager
def _on_server(url: str, given: Given, options: Options, stop: Stop) -> Iterator[Engine]:
    from bgremove.batch.remote import RemoteRemover

    at_once = given.jobs or SERVER_JOBS
    remover = RemoteRemover(
        url,
        options,
        key=read_key(given.key_file),
        retry_for_s=given.retry_for,
        at_once=at_once,
        stop=stop,
    )
    try:
        yield lambda jobs: run(
            jobs,
            remover,
            max_bytes=remover.max_bytes,
            at_once=at_once,
            stop=stop,
            min_confidence=given.min_confidence,
        )
    finally:
        remover.close()
