"""Counts in mapped files whose disk space is reserved before use.

The client library extends a file and maps it. If the file system has no space for a page when the
page is written, the kernel ends the process with SIGBUS, a worker or the master.
"""

from __future__ import annotations

import logging
import mmap
import os
from typing import Any

from prometheus_client import mmap_dict, values

START_BYTES = 1 << 16  # a worker's counts take 15 kB
HEADER_BYTES = 8  # of the library's file: the number of bytes in use, padded
logger = logging.getLogger(__name__)


class ReservedDict(mmap_dict.MmapedDict):
    """The library's mapped dict. Raises OSError if the disk has no space for it."""

    _f: Any  # the library declares a file; None after the file is closed
    _m: Any

    def __init__(self, filename: str, read_mode: bool = False) -> None:
        if not read_mode:
            with open(filename, "ab", buffering=0) as file:
                if file.tell() == 0:
                    self._reserve(file.fileno(), filename)
        super().__init__(filename, read_mode)  # type: ignore[no-untyped-call]

    @staticmethod
    def _reserve(file: int, filename: str) -> None:
        try:
            _lengthen(file, START_BYTES)
        except OSError:
            os.unlink(filename)  # readers fail on an empty file
            raise

    def _init_value(self, key: str) -> None:
        # Two integers, two doubles and the key, each padded to 8 bytes at most.
        while self._used + len(key.encode()) + 32 > self._capacity:
            self._grow()
        super()._init_value(key)  # type: ignore[no-untyped-call]

    def _grow(self) -> None:
        _lengthen(self._f.fileno(), self._capacity)
        self._capacity *= 2
        self._m = mmap.mmap(self._f.fileno(), self._capacity)


class LossyDict(ReservedDict):
    """Continues in memory if the file has no space: counts are lost, but the process survives."""

    def __init__(self, filename: str) -> None:
        try:
            super().__init__(filename)
        except OSError as error:
            logger.error("the counts of this process are lost: no room for them", exc_info=error)
            self._f, self._fname = None, filename
            self._positions: dict[str, int] = {}
            self._capacity, self._used = START_BYTES, HEADER_BYTES
            self._m = mmap.mmap(-1, self._capacity)

    def _grow(self) -> None:
        if self._f is not None:
            try:
                super()._grow()
            except OSError as error:
                logger.error("new counts of this process are lost", exc_info=error)
                self._f.close()
                self._f = None
            else:
                return
        grown = mmap.mmap(-1, 2 * self._capacity)
        grown[: self._capacity] = self._m[:]
        self._m = grown
        self._capacity *= 2

    def close(self) -> None:
        """Close the file or free the memory."""
        if self._f is None and self._m is not None:
            self._m.close()
            self._m = None
        super().close()  # type: ignore[no-untyped-call]


def reserve_room() -> None:
    """Store all counts of this process in a `LossyDict`.

    Call this before the first metric is made.
    """
    setattr(values, "MmapedDict", LossyDict)  # noqa: B010 -- the library has no option for this


def _lengthen(file: int, by: int) -> None:
    """Append zeros to a file, or nothing if there is no space for all of them."""
    size_before = os.fstat(file).st_size
    zeros = memoryview(bytes(by))
    try:
        while zeros:
            zeros = zeros[os.write(file, zeros) :]
    except OSError:
        os.truncate(file, size_before)
        raise
