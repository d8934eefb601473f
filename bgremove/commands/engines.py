"""Choose where a batch is processed: in this process, on a service, or on a Dask cluster."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from bgremove.batch.records import Job, Outcome
from bgremove.batch.run import run
from bgremove.commands.common import environment, prepare, read_key, read_settings
from bgremove.commands.remove_options import Given
from bgremove.commands.stopping import Stop
from bgremove.errors import BgremoveError
from bgremove.installation import pip_install
from bgremove.machine import available_cpus, default_jobs
from bgremove.options import Options

if TYPE_CHECKING:
    from dask.distributed import Client

    from bgremove.batch.local import LocalRemover
    from bgremove.batch.remote import RemoteRemover
    from bgremove.commands.remove_options import Given

SERVER_JOBS = 4  # a service has 2 places; more pictures are uploaded meanwhile
CONNECT_S = 30.0  # longest time of connecting to a scheduler
LOOK_S = 0.2  # interval between checks for a first worker

BatchEngine = Callable[[Sequence[Job]], Iterator[Outcome]]


@contextmanager
def engine_of(given: Given, options: Options, stop: Stop) -> Iterator[BatchEngine]:
    """Provide the engine of a call; raises ClickException if it is not ready."""
    if given.engine == "dask":
        with _on_cluster(given, options, stop) as engine:
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


@contextmanager
def _on_cluster(given: Given, options: Options, stop: Stop) -> Iterator[BatchEngine]:
    """Provide the workers of a scheduler, or ``--jobs`` worker processes on this machine.

    Raises ClickException if the packages are missing, the scheduler does not answer, or no worker
    connects in time.
    """
    try:
        from bgremove.batch import cluster
    except ModuleNotFoundError as error:
        fault = f"{error.name} is not installed; install it with: {pip_install('dask')}"
        raise click.ClickException(fault) from error
    with _client(given.scheduler, given.jobs, min(CONNECT_S, given.retry_for)) as client:
        _await_worker(client, given.retry_for, stop)
        yield lambda jobs: cluster.run(
            client, jobs, options, stop=stop, min_confidence=given.min_confidence
        )


@contextmanager
def _client(scheduler: str | None, workers: int | None, connect_s: float) -> Iterator[Client]:
    from dask.distributed import Client, LocalCluster

    from bgremove.batch.cluster import IgnoreInterrupt

    local = None if scheduler else LocalCluster(**_local_workers(workers))
    try:
        with Client(local or scheduler, timeout=connect_s) as client:
            if local is not None:
                client.register_plugin(IgnoreInterrupt())
            yield client
    except OSError as error:  # TimeoutError is one
        raise click.ClickException(f"{scheduler or 'dask'}: {error}") from error
    finally:
        if local is not None:
            local.close()


def _local_workers(count: int | None) -> dict[str, Any]:
    return {
        "n_workers": count or available_cpus(),
        "threads_per_worker": 1,
        "host": "127.0.0.1",
        "dashboard_address": None,
        "memory_limit": 0,  # no limit: large pictures must not get a worker killed
        "env": {"BGREMOVE_THREADS": environment().get("BGREMOVE_THREADS", "1")},
    }


def _await_worker(client: Client, patience_s: float, stop: Stop) -> None:
    if not client.nthreads():
        click.echo("waiting for a worker", err=True)
    end = time.monotonic() + patience_s
    while not (client.nthreads() or stop.wait(LOOK_S)):
        if time.monotonic() >= end:
            raise TimeoutError(f"no worker connected within {patience_s:g} s (--retry-for)")
