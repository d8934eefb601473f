"""Run a batch with a bounded number of pictures in flight; a failure affects only its picture."""

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

AHEAD = 2  # jobs submitted per thread, so that no thread idles; a job is only two paths
logger = logging.getLogger(__name__)


def run(
    jobs: Iterable[Job],
    remover: Remover,
    *,
    max_bytes: int,
    at_once: int,
    stop: threading.Event,
) -> Iterator[Outcome]:
    """Yield the outcome of each picture, in the order in which they finish.

    Once ``stop`` is set, started pictures are finished and no others are started. A failure that
    would affect every other picture sets ``stop``. At most ``at_once`` pictures are in memory.
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
    """Read a picture, remove its background and write the cut-out; failures go into the outcome."""
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
    """Read a picture, remove its background, write it to ``target``, and return the record."""
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
    """Return a job's outcome; an unexpected error fails its picture and is logged.

    Returns None if the batch was stopped before the picture started, or while it waited for a
    service.
    """
    error = future.exception()
    if error is None:
        return future.result()
    if isinstance(error, CancelledError):
        return None
    logger.error("unforeseen error", exc_info=error)
    return job.outcome(Status.FAILED, record=Record(ErrorCode.INTERNAL_ERROR, repr(error)))
