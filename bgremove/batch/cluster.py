"""Run a batch on the workers of a Dask cluster; each worker process loads the model once."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from queue import Empty, SimpleQueue
from typing import Any

from dask.distributed import Client, Future, WorkerPlugin

from bgremove.batch.local import LocalRemover
from bgremove.batch.records import FATAL, UNREACHABLE, Job, Outcome, Record, Status
from bgremove.batch.run import process
from bgremove.batch.stores import store_of
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
    client: Client,
    jobs: Sequence[Job],
    options: Options,
    *,
    stop: threading.Event,
    min_confidence: float = 0.0,
) -> Iterator[Outcome]:
    """Yield the outcome of each picture; if a worker dies, another one processes its picture.

    Local paths are sent as absolute paths, which must mean the same on every machine.

    Once ``stop`` is set, pictures already submitted are finished and no others are started. A
    failure that would affect every other picture sets ``stop``.
    """
    waiting = map(_absolute, jobs)
    done: SimpleQueue[Future[Outcome]] = SimpleQueue()
    running: dict[object, Job] = {}

    def hand_out(count: int) -> None:
        for job in [] if stop.is_set() else islice(waiting, count):
            future = client.submit(cut_out, job, options, min_confidence, pure=False)
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


def cut_out(job: Job, options: Options, min_confidence: float = 0.0) -> Outcome:
    """Process one job on a worker, with the settings of the worker's environment."""
    try:
        remover = remover_of(Settings.from_env(os.environ), options)
        store_of(job.source), store_of(job.target)  # a missing package fails every picture
    except BgremoveError as error:
        record = Record(ErrorCode.NOT_READY, f"a worker is not ready: {error.message}")
        return job.outcome(Status.FAILED, record=record)
    return process(job, remover, remover.max_bytes, min_confidence)


# One per process: each worker loads the models once.
remover_of = cache(LocalRemover)


def _absolute(job: Job) -> Job:
    source, target = store_of(job.source), store_of(job.target)
    return Job(source.absolute(job.source), target.absolute(job.target))


def _outcome(future: Future[Outcome], job: Job) -> Outcome:
    if future.cancelled():
        record = Record(UNREACHABLE, "the scheduler has gone")
    elif (error := future.exception()) is None:
        return future.result()
    elif isinstance(error, ImportError):
        record = Record(ErrorCode.NOT_READY, f"a worker lacks a package: {error}")
    else:
        record = Record(ErrorCode.INTERNAL_ERROR, repr(error))
    return job.outcome(Status.FAILED, record=record)
