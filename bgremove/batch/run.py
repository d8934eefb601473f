"""Run a batch: a bounded number of pictures in flight, a failure costs only its own."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Future,
    ThreadPoolExecutor,
    wait,
)

from bgremove.batch.files import is_finished, read, write
from bgremove.batch.records import FATAL, Job, Outcome, Record, Remover, Status, failure, name_of
from bgremove.errors import BgremoveError, ErrorCode

AHEAD = 2  # jobs handed to each thread, so that none waits for the next; a job is two paths
logger = logging.getLogger(__name__)


def run(
    jobs: Iterable[Job],
    remover: Remover,
    *,
    max_bytes: int,
    at_once: int,
    stop: threading.Event,
) -> Iterator[Outcome]:
    """Yield what became of each picture, as they finish.

    Once ``stop`` is set, pictures that are begun are finished and no other is. A failure that every
    other picture would meet as well sets it. Memory is bounded by the pictures of ``at_once``.
    """
    waiting = iter(jobs)
    running: dict[Future[Outcome | None], Job] = {}
    with ThreadPoolExecutor(at_once, thread_name_prefix="picture") as pool:
        while True:
            while len(running) < at_once * AHEAD and not stop.is_set():
                job = next(waiting, None)
                if job is None:
                    break
                running[pool.submit(_begin, job, remover, max_bytes, stop)] = job
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = _outcome(future, running.pop(future))
                if outcome is not None:
                    if outcome.record.code in FATAL:
                        stop.set()
                    yield outcome


def process(job: Job, remover: Remover, max_bytes: int) -> Outcome:
    """Read a picture, cut it out and write the cut-out; what goes wrong is told, not raised."""
    if job.may_skip and is_finished(job):
        return job.outcome(Status.SKIPPED)
    started = time.perf_counter()
    record = recorded(
        lambda: read(job.source, max_bytes),
        remover,
        lambda data: write(job.target, data),
        name_of(job.target),
    )
    ms = round((time.perf_counter() - started) * 1000)
    return job.outcome(Status.DONE if record.code is None else Status.FAILED, ms, record)


def recorded(
    read: Callable[[], bytes], remover: Remover, write: Callable[[bytes], None], target: str
) -> Record:
    """Read a picture, cut it out, write what comes out to ``target``; tell what became of it."""
    try:
        image = read()
    except BgremoveError as error:
        return failure(error)
    except OSError as error:
        return Record("READ_FAILED", f"cannot be read: {error.strerror or error}")
    result = remover(image)
    if result.record.code is not None:
        return result.record
    try:
        write(result.data)
    except OSError as error:
        return Record("WRITE_FAILED", f"{target} cannot be written: {error.strerror or error}")
    return result.record


def _begin(job: Job, remover: Remover, max_bytes: int, stop: threading.Event) -> Outcome | None:
    return None if stop.is_set() else process(job, remover, max_bytes)


def _outcome(future: Future[Outcome | None], job: Job) -> Outcome | None:
    """Return a job's outcome; an error that nobody foresaw fails its picture, and is logged.

    None: the batch was stopped before the picture was begun, or while it waited for a service.
    """
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, CancelledError):
        return None
    logger.error("unforeseen error", exc_info=error)
    return job.outcome(Status.FAILED, record=Record(ErrorCode.INTERNAL_ERROR, repr(error)))
