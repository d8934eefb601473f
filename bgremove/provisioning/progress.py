"""Progress of a download: a bar on a terminal, periodic lines in a log."""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

from tqdm import tqdm

LOG_INTERVAL_S = 5.0  # between two lines in a log
MB = 1_000_000
logger = logging.getLogger(__name__)


class Progress:
    """Progress of one file, in bytes."""

    def __init__(self, name: str, total: int, start: int = 0) -> None:
        self._name, self._total, self._done = name, total, start
        self._next_line_at = time.monotonic() + LOG_INTERVAL_S
        self._bar: tqdm[Any] = tqdm(
            desc=name,
            total=total,
            initial=start,
            unit="B",
            unit_scale=True,
            disable=not sys.stderr.isatty(),
        )

    def advance(self, count: int) -> None:
        """Add ``count`` received bytes."""
        self._bar.update(count)
        self._done += count
        if self._bar.disable and time.monotonic() >= self._next_line_at:
            self._next_line_at = time.monotonic() + LOG_INTERVAL_S
            logger.info("%s: %d of %d MB", self._name, self._done // MB, self._total // MB)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
