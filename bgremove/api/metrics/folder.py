"""The folder of counts that the processes of one server share: a file per process and metric type.

The client library keeps the files of ended processes, because counts must not fall. A server that
replaces its workers would collect such files forever, so gunicorn's master adds them to one sum.

This module must not import the client library at the top: the library reads the folder's location
when it is imported.
"""

from __future__ import annotations

import fcntl
import logging
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from prometheus_client import Metric

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # the client library's variable
ADDED_UP = ("counter", "histogram")  # metric types whose counts outlive their process
logger = logging.getLogger(__name__)


class CountsFolder:
    """The master's view of the folder: creates it, keeps it small and removes it."""

    def __init__(self, configured: str | None, scratch: str | None) -> None:
        """Empty the configured folder, or make a private folder in ``scratch``."""
        self._is_private = configured is None
        self.path = Path(configured or tempfile.mkdtemp(prefix="bgremove-metrics-", dir=scratch))
        self.make()
        for file in self.path.glob("*.db"):
            file.unlink()
        self._ended: set[int] = set()

    def make(self) -> None:
        """Make the folder if it is missing, since a new worker needs it."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            logger.error("there is no folder for counts", exc_info=error)

    def retire(self, pid: int) -> None:
        """Remove the gauges of an ended worker and add its counts to the sum.

        The master never waits for the folder's lock. While a worker reads the counts, they stay in
        place until the next worker ends. Errors are logged and not raised, because gunicorn's
        master ends with any exception of its hooks.
        """
        from prometheus_client.multiprocess import mark_process_dead

        self._ended.add(pid)
        try:
            mark_process_dead(pid, str(self.path))
            with _locked(self.path, fcntl.LOCK_EX | fcntl.LOCK_NB):
                for kind in ADDED_UP:
                    _add_up(self.path, kind, self._ended)
            self._ended.clear()
        except BlockingIOError:
            return
        except Exception as error:  # damaged files raise all kinds
            logger.error("the counts of a worker were not added up", exc_info=error)

    def remove(self) -> None:
        """Remove a private folder."""
        if self._is_private:
            shutil.rmtree(self.path, ignore_errors=True)


class Counts:
    """The workers' view of the folder: collects the counts of running and ended workers."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def collect(self) -> Iterable[Metric]:
        """Read every file. The lock keeps the master from moving counts meanwhile."""
        from prometheus_client.multiprocess import MultiProcessCollector

        with _locked(self._path, fcntl.LOCK_SH):
            metrics: Iterable[Metric] = MultiProcessCollector(None, str(self._path)).collect()
        return metrics


def _add_up(folder: Path, kind: str, pids: Iterable[int]) -> None:
    """Write the sum of these processes' files and of the earlier sum into one file."""
    from prometheus_client.mmap_dict import MmapedDict, mmap_key
    from prometheus_client.multiprocess import MultiProcessCollector

    from bgremove.api.metrics.reserved import ReservedDict

    ended = [file for pid in pids if (file := folder / f"{kind}_{pid}.db").exists()]
    if not ended:
        return
    total, unfinished = folder / f"{kind}_ended.db", folder / f"{kind}_ended.new"
    files = [str(file) for file in (total, *ended) if file.exists() and _is_sound(file)]
    unfinished.unlink(missing_ok=True)
    sums: MmapedDict = ReservedDict(str(unfinished))
    for metric in MultiProcessCollector.merge(files, accumulate=False):
        for sample in metric.samples:
            names, values = list(sample.labels), list(sample.labels.values())
            key = mmap_key(metric.name, sample.name, names, values, metric.documentation)
            sums.write_value(key, sample.value, 0.0)
    sums.close()
    unfinished.replace(total)
    for file in ended:
        file.unlink(missing_ok=True)


def _is_sound(file: Path) -> bool:
    """Return whether the counts of a file can be read; remove a damaged file, and log that."""
    from prometheus_client.multiprocess import MultiProcessCollector

    try:
        MultiProcessCollector.merge([str(file)], accumulate=False)
    except Exception as error:  # the library checks nothing that it reads
        logger.error(
            "a damaged file of counts is removed", extra={"file": file.name}, exc_info=error
        )
        file.unlink()
        return False
    return True


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Hold the folder's lock.

    Raises:
        BlockingIOError: The lock is taken and ``how`` includes LOCK_NB.

    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, how)
        yield
