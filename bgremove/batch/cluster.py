"""A batch on the workers of a Dask cluster: the model is loaded once in each of their processes."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator, Sequence
from itertools import islice

from dask.distributed import Client, Future, as_completed

from bgremove.batch import stores
from bgremove.batch.local import LocalRemover
from bgremove.batch.records import FATAL, NOT_READY, Outcome, Record, Status, Wanted, failure
from bgremove.batch.stores import StoreJob
from bgremove.errors import BgremoveError
from bgremove.settings import Settings

AHEAD = 3  # pictures handed out for each thread of the cluster: none waits, and none hoards


def run(
    client: Client, jobs: Sequence[StoreJob], wanted: Wanted, stop: threading.Event
) -> Iterator[Outcome]:
    """Yield what became of each picture; one whose worker died is done by another.

    Once ``stop`` is set, pictures that are handed out are finished and no other is. A failure that
    every other picture would meet as well sets it.
    """
    waiting = iter(jobs)
    of: dict[object, StoreJob] = {}

    def hand_out(count: int) -> list[Future[Outcome]]:
        taken = [] if stop.is_set() else list(islice(waiting, count))
        futures = [client.submit(cut_out, job, wanted, pure=False) for job in taken]
        of.update({future.key: job for future, job in zip(futures, taken, strict=True)})
        return futures

    running = as_completed(hand_out(AHEAD * max(1, sum(client.nthreads().values()))))
    for future in running:
        outcome = _outcome(future, of.pop(future.key))
        if outcome.record.code in FATAL:
            stop.set()
        yield outcome
        running.update(hand_out(1))


def cut_out(job: StoreJob, wanted: Wanted) -> Outcome:
    """Do one job on a worker, with the settings of its own environment."""
    started = time.perf_counter()
    record = _record(job, wanted)
    ms = round((time.perf_counter() - started) * 1000)
    return job.outcome(Status.DONE if record.code is None else Status.FAILED, ms, record)


def _record(job: StoreJob, wanted: Wanted) -> Record:
    try:
        remover = LocalRemover(Settings.from_env(os.environ), wanted)
        remover.engine()  # that of the process: copies of a remover share it
    except BgremoveError as error:
        return Record(NOT_READY, f"a worker is not ready: {error.message}")
    try:
        image = stores.read(job.source, remover.max_bytes)
    except BgremoveError as error:
        return failure(error)
    except OSError as error:
        return Record("READ_FAILED", f"cannot be read: {error.strerror or error}")
    result = remover(image)
    if result.record.code is not None:
        return result.record
    try:
        stores.write(job.target, result.data)
    except OSError as error:
        return Record("WRITE_FAILED", f"{job.target} cannot be written: {error.strerror or error}")
    return result.record


def _outcome(future: Future[Outcome], job: StoreJob) -> Outcome:
    error = future.exception()
    if error is None:
        return future.result()
    return job.outcome(Status.FAILED, record=Record("INTERNAL_ERROR", repr(error)))
