"""Keep gunicorn's master alive when it cannot start a worker.

gunicorn's master ends with any exception of a fork. At a limit of processes, as a container has
one, it would take the running workers with it.
"""

from __future__ import annotations

import logging
import os
from typing import Any

from gunicorn.arbiter import Arbiter

from bgremove.serving.worker import has_served

logger = logging.getLogger(__name__)


def survive_failed_forks(master: Arbiter) -> None:
    """Log that a worker cannot be started, once the service has run; gunicorn tries each second."""
    spawn, process = master.spawn_worker, os.getpid()

    def spawn_or_log() -> Any:
        try:
            return spawn()
        except OSError as error:
            if os.getpid() != process or not has_served():
                raise
            logger.error("a worker cannot be started; older ones stay: %s", error.strerror)
            return None

    master.spawn_worker = spawn_or_log  # type: ignore[method-assign]
