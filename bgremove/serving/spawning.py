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


class SpawnError(Exception):
    """A worker cannot be started, and the service has run before."""


def survive_failed_forks(master: Arbiter) -> None:
    """Log that a worker cannot be started, once the service has run.

    gunicorn starts missing workers again each second. A reload ends at once: it would wait for the
    new workers, and the master handles no signal meanwhile.
    """
    spawn, manage, reload = master.spawn_worker, master.manage_workers, master.reload
    process = os.getpid()

    def spawn_or_raise() -> Any:
        try:
            return spawn()
        except OSError as error:
            if os.getpid() != process or not has_served():
                raise
            raise SpawnError(error.strerror) from error

    def manage_or_log() -> None:
        try:
            manage()
        except SpawnError as error:
            logger.error("a worker cannot be started, next attempt in a second: %s", error)

    def reload_or_log() -> None:
        try:
            reload()
        except SpawnError as error:
            logger.error(
                "a worker cannot be started, running workers stay; reload again: %s", error
            )

    master.spawn_worker = spawn_or_raise  # type: ignore[method-assign]
    master.manage_workers = manage_or_log  # type: ignore[method-assign]
    master.reload = reload_or_log  # type: ignore[method-assign]
