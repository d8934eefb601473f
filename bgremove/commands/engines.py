"""Choose where a batch is processed: in this process, on a service, or on a Dask cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from bgremove.batch.records import Job, Outcome
from bgremove.batch.run import run
from bgremove.commands.environment import prepare, read_key, read_settings
from bgremove.commands.remove_options import Given
from bgremove.commands.stopping import Stop
from bgremove.errors import BgremoveError
from bgremove.machine import default_jobs
from bgremove.options import Options

if TYPE_CHECKING:
    from bgremove.batch.local import LocalRemover
    from bgremove.batch.remote import RemoteRemover

SERVER_JOBS = 4  # a service has 2 places; more pictures are uploaded meanwhile

BatchEngine = Callable[[Sequence[Job]], Iterator[Outcome]]


@contextmanager
def engine_of(given: Given, options: Options, stop: Stop) -> Iterator[BatchEngine]:
    """Provide the engine of a call; raises ClickException if it is not ready."""
    if given.engine == "dask":
        from bgremove.commands.dask_engine import on_cluster

        with on_cluster(given, options, stop) as engine:
            yield engine
        return
    at_once = given.jobs or (SERVER_JOBS if given.server else default_jobs())
    if given.server is None:
        remover: LocalRemover | RemoteRemover = _local(given, options, at_once)
    else:
        remover = _remote(given.server, given, options, at_once, stop)
    try:
        yield partial(
            run,
            remover=remover,
            max_bytes=remover.max_bytes,
            at_once=at_once,
            stop=stop,
            min_confidence=given.min_confidence,
        )
    finally:
        remover.close()


def _local(given: Given, options: Options, at_once: int) -> LocalRemover:
    from bgremove.batch.local import LocalRemover

    settings = read_settings()
    prepare(settings, offline=given.offline)
    try:
        return LocalRemover(replace(settings, places=at_once), options)
    except BgremoveError as error:
        raise click.ClickException(
            f"not ready: {error.message}. Run `bgremove weights` to replace damaged files,"
            " or `bgremove doctor` for details"
        ) from error


def _remote(url: str, given: Given, options: Options, at_once: int, stop: Stop) -> RemoteRemover:
    from bgremove.batch.remote import RemoteRemover

    return RemoteRemover(
        url,
        options,
        key=read_key(given.key_file),
        retry_for_s=given.retry_for,
        at_once=at_once,
        stop=stop,
    )
