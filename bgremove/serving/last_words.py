"""The stacks of a worker that a signal ended: written by the worker, logged by the master.

`faulthandler` writes the stacks of all threads inside the signal handler, without running Python
code. This also works for a worker that crashed in native code, or that hung there with the
interpreter's lock and received gunicorn's SIGABRT.
"""

from __future__ import annotations

import faulthandler
import logging
import os

from bgremove.memory import open_memory_file

MAX_LINES = 200
MAX_BYTES = 1 << 16
logger = logging.getLogger(__name__)


class LastWords:
    """A file in memory that a worker and the master share. The master makes it before the fork.

    The file is in no folder, because a full or missing folder would end the master.
    """

    def __init__(self) -> None:
        self._file = os.fdopen(open_memory_file("last-words"), "w+b")

    def listen(self) -> None:
        """In the worker: write the stacks to the file on a fatal signal."""
        faulthandler.enable(self._file, all_threads=True)

    def log(self, pid: int) -> None:
        """In the master, after the worker has ended: log the stacks, if there are any."""
        with self._file as file:
            file.seek(0)
            text = file.read(MAX_BYTES).decode("utf-8", "replace")
        if text:
            extra = {"worker": pid, "stacks": text.splitlines()[:MAX_LINES]}
            logger.error("a worker was ended by a signal", extra=extra)
