"""The folder that the processes of one server count in: a file for each process and kind of metric.

The client library keeps the files of a process that has ended, since counts must not fall. A server
that replaces its workers would gather them for ever, so gunicorn's master adds each to one sum.

Nothing here may import the client at the top: it looks for the folder when it is imported.
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

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"  # the client's own name for it
ADDED_UP = ("counter", "histogram")  # kinds whose counts outlive their process
logger = logging.getLogger(__name__)


class CountsFolder:
    """The master's side: makes the folder, keeps it small, removes it."""

    def __init__(self, configured: str | None, scratch: str | None) -> None:
        """Empty the folder that is configured, or make a private one in ``scratch``."""
        self._is_private = configured is None
        self.path = Path(configured or tempfile.mkdtemp(prefix="bgremove-metrics-", dir=scratch))
        self.make()
        for file in self.path.glob("*.db"):
            file.unlink()
        self._ended: set[int] = set()

    def make(self) -> None:
        """Make the folder where it is gone; a worker about to be forked needs it."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            logger.error("there is no folder for counts", exc_info=error)

    def retire(self, pid: int) -> None:
        """Forget the gauges of a worker that has ended and add its counts to the sum.

        While somebody reads, the counts stay where they are until the next worker ends: the master
        waits for nobody. It must not fall over them either, so that what goes wrong is logged.
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
        except (OSError, RuntimeError, ValueError) as error:
            logger.error("the counts of a worker were not added up", exc_info=error)

    def remove(self) -> None:
        """Remove a private folder."""
        if self._is_private:
            shutil.rmtree(self.path, ignore_errors=True)


class Counts:
    """The workers' side: collects the counts of all of them, the ended ones included."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def collect(self) -> Iterable[Metric]:
        """Read every file; the master moves no counts meanwhile."""
        from prometheus_client.multiprocess import MultiProcessCollector

        with _locked(self._path, fcntl.LOCK_SH):
            metrics: Iterable[Metric] = MultiProcessCollector(None, str(self._path)).collect()
        return metrics


def _add_up(folder: Path, kind: str, pids: Iterable[int]) -> None:
    """Put the sum of these processes' files, and of those before them, into one file."""
    from prometheus_client.mmap_dict import MmapedDict, mmap_key
    from prometheus_client.multiprocess import MultiProcessCollector

    from bgremove.api.metrics.reserved import ReservedDict

    ended = [file for pid in pids if (file := folder / f"{kind}_{pid}.db").exists()]
    if not ended:
        return
    total, unfinished = folder / f"{kind}_ended.db", folder / f"{kind}_ended.new"
    files = [str(file) for file in (total, *ended) if file.exists()]
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
        file.unlink()


@contextmanager
def _locked(folder: Path, how: int) -> Iterator[None]:
    """Hold the folder's lock; raises BlockingIOError where ``how`` says not to wait for it."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "lock").open("a") as file:
        fcntl.flock(file, how)
        yield
