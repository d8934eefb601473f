"""Progress of downloads and builds: live on a terminal, whole lines in a log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import Any

from tqdm import tqdm

LOG_INTERVAL_S = 5.0  # between two lines in a log
TICK_S = 1.0  # between two updates of a step on a terminal
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


@contextmanager
def step(words: str) -> Iterator[None]:
    """Report a step and its duration: a line that counts the seconds, or one line in a log.

    A step that fails leaves no line; its error names the step.
    """
    is_live = sys.stderr.isatty()
    started = time.monotonic()
    bar: tqdm[Any] = tqdm(desc=words, bar_format="{desc}: {elapsed_s:.0f} s", disable=not is_live)
    ended = Event()
    ticker = Thread(target=_tick, args=(bar, ended), daemon=True)
    if is_live:
        ticker.start()
    try:
        yield
    except BaseException:
        bar.leave = False
        raise
    else:
        if not is_live:
            logger.info("%s: %.0f s", words, time.monotonic() - started)
    finally:
        ended.set()
        if is_live:
            ticker.join()
        bar.close()


def _tick(bar: tqdm[Any], ended: Event) -> None:
    while not ended.wait(TICK_S):
        bar.refresh()


def megabytes(count: int) -> str:
    """Return a number of bytes in MB, with a decimal below 10 MB."""
    return f"{count / MB:.{0 if count >= 10 * MB else 1}f} MB"
