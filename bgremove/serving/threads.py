"""Threads that start at the right moment: after a fork, or before any load."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

DELAY_S = 0.5  # enough for a server that loads the application before it forks its workers


def start_soon(start: Callable[[], None], delay_s: float = DELAY_S) -> None:
    """Call ``start`` soon, in this process or in the children that it forks before.

    It warms an application up under a server without bgremove's gunicorn configuration.

    A server may load the application in its master and fork afterwards. A session made in the
    master would hang in its workers, so the first fork moves the call into the children.
    """
    timer = threading.Timer(delay_s, start)
    timer.daemon = True
    is_moved = False

    def before_fork() -> None:
        nonlocal is_moved
        if not is_moved and not timer.finished.is_set():
            timer.cancel()
            is_moved = True

    def in_child() -> None:
        if is_moved:
            start()

    os.register_at_fork(before=before_fork, after_in_child=in_child)
    timer.start()


def started_pool(threads: int, name: str) -> ThreadPoolExecutor:
    """Return a pool whose threads are started already, so that none must start under load.

    Raises:
        RuntimeError: The threads cannot be started.

    """
    pool = ThreadPoolExecutor(threads, name)
    all_run = threading.Barrier(threads + 1)
    try:
        for _ in range(threads):
            pool.submit(all_run.wait)
    except RuntimeError:
        all_run.abort()
        pool.shutdown(wait=False)
        raise
    all_run.wait()
    return pool
