"""Run a batch with a bounded number of pictures in flight; a failure affects only its picture."""

from __future__ import annotations

import errno
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    CancelledError,
    Future,
    ThreadPoolExecutor,
    wait,
)
from dataclasses import replace

from bgremove.batch.records import (
    DISK_FULL,
    FATAL,
    STANDARD,
    Job,
    Outcome,
    Record,
    Remover,
    Status,
    failure,
)
from bgremove.batch.stores import store_of
from bgremove.errors import BgremoveError, ErrorCode

FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})  # no later cut-out can be written
AHEAD = 2  # jobs submitted per thread, so that no thread idles; a job is only two paths
logger = logging.getLogger(__name__)


def run(
    jobs: Iterable[Job],
    remover: Remover,
    *,
    max_bytes: int,
    at_once: int,
    stop: threading.Event,
    min_confidence: float = 0.0,
) -> Iterator[Outcome]:
    """Yield the outcome of each picture, in the order in which they finish.

    Once ``stop`` is set, started pictures are finished and no others are started. A failure that
    would affect every other picture sets ``stop``. At most ``at_once`` pictures are in memory.
    """

    def begin(job: Job) -> Outcome | None:
        return None if stop.is_set() else process(job, remover, max_bytes, min_confidence)

    waiting = iter(jobs)
    running: dict[Future[Outcome | None], Job] = {}
    with ThreadPoolExecutor(at_once, thread_name_prefix="picture") as pool:
        while True:
            while len(running) < at_once * AHEAD and not stop.is_set():
                job = next(waiting, None)
                if job is None:
                    break
                running[pool.submit(begin, job)] = job
            if not running:
                return
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                outcome = _outcome(future, running.pop(future))
                if outcome is not None:
                    if outcome.record.code in FATAL:
                        stop.set()
                    yield outcome


def process(job: Job, remover: Remover, max_bytes: int, min_confidence: float = 0.0) -> Outcome:
    """Read a picture, remove its background and write the cut-out; failures go into the outcome.

    A cut-out with a confidence below ``min_confidence`` is a failure and is not written.
    """
    started = time.perf_counter()
    record = _processed(job, remover, max_bytes, min_confidence)
    ms = round((time.perf_counter() - started) * 1000)
    return job.outcome(Status.DONE if record.code is None else Status.FAILED, ms, record)


def _processed(job: Job, remover: Remover, max_bytes: int, min_confidence: float) -> Record:
    try:
        image = store_of(job.source).read(job.source, max_bytes)
    except BgremoveError as error:
        return failure(error)
    except OSError as error:
        return Record("READ_FAILED", f"cannot be read: {error.strerror or error}")
    result = remover(image)
    record = result.record
    if record.code is not None:
        return record
    if record.confidence is not None and record.confidence < min_confidence:
        message = f"the confidence is {record.confidence:.2f}, below {min_confidence:g}"
        return replace(record, code="LOW_CONFIDENCE", message=message)
    try:
        store_of(job.target).write(job.target, result.data)
    except OSError as error:
        code = DISK_FULL if error.errno in FULL else "WRITE_FAILED"
        target = "standard output" if job.target == STANDARD else job.target
        return Record(code, f"{target} cannot be written: {error.strerror or error}")
    return record


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
