"""`bgremove remove --engine dask`: a batch on a cluster, with pictures in any fsspec store."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from bgremove.batch.records import STANDARD, Outcome, Status
from bgremove.commands.environment import environment
from bgremove.commands.stopping import Stop
from bgremove.errors import PlanError
from bgremove.installation import pip_install
from bgremove.options import Options

if TYPE_CHECKING:
    from dask.distributed import Client

    from bgremove.batch.store_jobs import StoreJob


LOOK_S = 0.2  # interval between checks for a first worker


@dataclass(frozen=True, slots=True)
class Cluster:
    """The cluster of a batch: a scheduler's workers, or ``workers`` local processes."""

    scheduler: str | None
    workers: int | None
    patience_s: float
    connect_s: float = 30  # timeout of connecting to a scheduler

    def run(self, jobs: Sequence[StoreJob], options: Options, stop: Stop) -> Iterator[Outcome]:
        """Yield the outcome of each picture; connects only if a picture is unfinished.

        Raises ClickException if the cluster does not answer or has no worker.
        """
        yield from (job.outcome(Status.SKIPPED) for job in jobs if job.is_finished)
        left = [job for job in jobs if not job.is_finished]
        if left:
            from bgremove.batch import cluster

            with self._client(stop) as client:
                yield from cluster.run(client, left, options, stop)

    @contextmanager
    def _client(self, stop: Stop) -> Iterator[Client]:
        from dask.distributed import Client, LocalCluster

        from bgremove.batch.cluster import IgnoreInterrupt

        local = None if self.scheduler else LocalCluster(**self._local())
        try:
            with Client(local or self.scheduler, timeout=self.connect_s) as client:
                if local is not None:
                    client.register_plugin(IgnoreInterrupt())
                self._await_worker(client, stop)
                yield client
        except OSError as error:  # TimeoutError is one
            raise click.ClickException(f"{self.scheduler or 'dask'}: {error}") from error
        finally:
            if local is not None:
                local.close()

    def _await_worker(self, client: Client, stop: Stop) -> None:
        if not client.nthreads():
            click.echo("waiting for a worker", err=True)
        end = time.monotonic() + self.patience_s
        while not (client.nthreads() or stop.wait(LOOK_S)):
            if time.monotonic() >= end:
                raise TimeoutError(f"no worker came within {self.patience_s:g} s (--retry-for)")

    def _local(self) -> dict[str, object]:
        from bgremove.machine import available_cpus

        return {
            "n_workers": self.workers or available_cpus(),
            "threads_per_worker": 1,
            "host": "127.0.0.1",
            "dashboard_address": None,
            "memory_limit": 0,  # no limit: large pictures must not get a worker killed
            "env": {"BGREMOVE_THREADS": environment().get("BGREMOVE_THREADS", "1")},
        }


def plan(
    photos: Sequence[str], out: str, options: Options, *, recursive: bool, overwrite: bool
) -> list[StoreJob]:
    """List the stores and return the jobs; raises UsageError and ClickException."""
    if STANDARD in (out, *photos):
        raise click.UsageError("--engine dask takes files, folders and URLs, not -")
    try:
        import distributed  # noqa: F401

        from bgremove.batch import store_jobs
    except ModuleNotFoundError as error:
        fault = f"{error.name} is not installed; bring it with: {pip_install('dask')}"
        raise click.ClickException(fault) from error
    try:
        return store_jobs.plan(
            photos, out, options.suffix, recursive=recursive, overwrite=overwrite
        )
    except PlanError as error:
        raise click.UsageError(error.message) from error
