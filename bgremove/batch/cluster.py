"""Run a batch on the workers of a Dask cluster; each worker process loads the model once."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any

from dask.distributed import Client, Future, WorkerPlugin

from bgremove.batch import stores
from bgremove.batch.local import LocalRemover
from bgremove.batch.records import (
    FATAL,
    UNREACHABLE,
    Outcome,
    Record,
    Status,
)
from bgremove.batch.run import recorded
from bgremove.batch.store_jobs import StoreJob
from bgremove.errors import BgremoveError, ErrorCode
from bgremove.options import Options
from bgremove.settings import Settings

AHEAD = 3  # pictures submitted per thread: threads stay busy and no worker holds a long queue
LOOK_S = 1.0  # interval between checks that the cluster still has workers


class IgnoreInterrupt(WorkerPlugin):
    """Ignore Ctrl-C in local workers: a terminal sends it to them and to the command."""

    def setup(self, worker: Any) -> None:
        """Ignore SIGINT in a worker's process."""
        del worker
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def run(
    client: Client, jobs: Sequence[StoreJob], options: Options, stop: threading.Event
) -> Iterator[Outcome]:
    """Yield the outcome of each picture; if a worker dies, another one processes its picture.

    Once ``stop`` is set, pictures already submitted are finished and no others are started. A
    failure that would affect every other picture sets ``stop``.
    """
    waiting = iter(jobs)
    done: SimpleQueue[Future[Outcome]] = SimpleQueue()
    running: dict[object, StoreJob] = {}

    def hand_out(count: int) -> None:
        for job in [] if stop.is_set() else islice(waiting, count):
            future = client.submit(cut_out, job, options, pure=False)
            running[future.key] = job
            future.add_done_callback(done.put)

    hand_out(AHEAD * max(1, sum(client.nthreads().values())))
    while running:
        try:
            future = done.get(timeout=LOOK_S)
        except Empty:
            if stop.is_set() and not client.nthreads():
                return  # no worker is left to finish them
            continue
        outcome = _outcome(future, running.pop(future.key))
        if outcome.record.code in FATAL:
            stop.set()
        yield outcome
        hand_out(1)


def cut_out(job: StoreJob, options: Options) -> Outcome:
    """Process one job on a worker, with the settings of the worker's environment."""
    started = time.perf_counter()
    record = _record(job, options)
    ms = round((time.perf_counter() - started) * 1000)
    return job.outcome(Status.DONE if record.code is None else Status.FAILED, ms, record)


def _record(job: StoreJob, options: Options) -> Record:
    try:
        remover = LocalRemover(Settings.from_env(os.environ), options)
        remover.engine()  # build or reuse the engine of this process
    except BgremoveError as error:
        return Record(ErrorCode.NOT_READY, f"a worker is not ready: {error.message}")
    return recorded(
        lambda: stores.read(job.source, remover.max_bytes),
        remover,
        lambda data: stores.write(job.target, data),
        job.target,
    )


def _outcome(future: Future[Outcome], job: StoreJob) -> Outcome:
    if future.cancelled():
        record = Record(UNREACHABLE, "the scheduler has gone")
    elif (error := future.exception()) is None:
        return future.result()
    elif isinstance(error, ImportError):
        record = Record(ErrorCode.NOT_READY, f"a worker lacks a package: {error}")
    else:
        record = Record(ErrorCode.INTERNAL_ERROR, repr(error))
    return job.outcome(Status.FAILED, record=record)
