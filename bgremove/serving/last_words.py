"""The stacks of a worker that a signal ended: dumped by the interpreter, logged by the master.

`faulthandler` writes the stacks of all threads from within the signal's handler, where no Python
runs: also of a worker that crashed in native code, or hangs there with the interpreter's lock and
got gunicorn's SIGABRT for it.
"""

from __future__ import annotations

import faulthandler
import logging
import os

from bgremove.memory_file import open_memory_file

MAX_LINES = 200
MAX_BYTES = 1 << 16
logger = logging.getLogger(__name__)


class LastWords:
    """A file in memory that worker and master share; the master makes it before it forks.

    It lies in no folder: one that is full or gone would end the master.
    """

    def __init__(self) -> None:
        self._file = os.fdopen(open_memory_file("last-words"), "w+b")

    def listen(self) -> None:
        """In the worker, have its fatal signals write to the file."""
        faulthandler.enable(self._file, all_threads=True)

    def log(self, pid: int) -> None:
        """In the master, once the worker has ended, log what it wrote, if anything."""
        with self._file as file:
            file.seek(0)
            text = file.read(MAX_BYTES).decode("utf-8", "replace")
        if text:
            extra = {"worker": pid, "stacks": text.splitlines()[:MAX_LINES]}
            logger.error("a worker was ended by a signal", extra=extra)
