"""`bgremove remove --engine dask`: process a batch on a Dask cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bgremove.commands.environment import environment
from bgremove.commands.stopping import Stop
from bgremove.installation import pip_install
from bgremove.machine import available_cpus
from bgremove.options import Options

if TYPE_CHECKING:
    from dask.distributed import Client

    from bgremove.commands.engines import BatchEngine
    from bgremove.commands.remove_options import Given

CONNECT_S = 30.0  # longest time of connecting to a scheduler
LOOK_S = 0.2  # interval between checks for a first worker


@contextmanager
def on_cluster(given: Given, options: Options, stop: Stop) -> Iterator[BatchEngine]:
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

    local = None if scheduler else LocalCluster(**_local(workers))
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


def _local(workers: int | None) -> dict[str, Any]:
    return {
        "n_workers": workers or available_cpus(),
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
