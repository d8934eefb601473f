"""Decoding in processes of their own, because a native decoder can hang or crash.

A worker serves several requests from threads; a segmentation fault or an endless loop inside a
library would take all of them down. So pictures are decoded in a few child processes: one that
passes its deadline is killed, one that crashes costs only its own request, and both are replaced.

Price, on two shared cores: 1 ms for 0.3 megapixels, 4 for 2, 17 for 12, 53 for 50 (a JPEG of those
sizes decodes in 2, 11, 75 and 310 ms); 50 MB (PSS) a process; 0.15 s until its first picture.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from bgremove.datatypes import DecodedImage, ImageHeader
from bgremove.deadline import Deadline
from bgremove.errors import BgremoveError, DeadlineExceededError, UpstreamError
from bgremove.imaging.decoder_process import DecoderGoneError, DecoderProcess
from bgremove.imaging.probe import Limits

STEP = "decoding"


class DecoderPool:
    """At most ``size`` decoders, started when first needed, one picture each at a time.

    Safe to use from several threads. ``on_end`` is told how a decoder ended that was not asked to:
    ``crash``, ``timeout``, or ``lost`` where it was gone before it got a picture.
    """

    def __init__(self, limits: Limits, size: int = 2) -> None:
        self._limits = limits
        self._size = size
        self._free = threading.BoundedSemaphore(size)
        self._lock = threading.Lock()
        self._idle: list[DecoderProcess] = []
        self._closed = False
        self.on_end: Callable[[str], None] = lambda _: None

    def start(self) -> None:
        """Start every decoder now, so that the first requests need not wait for that."""
        missing = self._size - len(self._idle)
        for _ in range(missing):
            self._put_back(self._started())

    def decode(self, data: bytes, header: ImageHeader, deadline: Deadline) -> DecodedImage:
        """Decode a picture that `probe` let in; ``header`` is what it returned for ``data``.

        Raises ImageError for a damaged picture, UpstreamError where its decoder crashed or ran out
        of memory, DeadlineExceededError where the deadline came first.
        """
        if not self._free.acquire(timeout=deadline.remaining_s):
            raise deadline.exceeded(f"waiting for {STEP}")
        try:
            try:
                return self._decode_with(self._take(), data, header, deadline)
            except DecoderGoneError:
                return self._decode_with(self._started(), data, header, deadline)
        finally:
            self._free.release()

    def _decode_with(
        self, process: DecoderProcess, data: bytes, header: ImageHeader, deadline: Deadline
    ) -> DecodedImage:
        try:
            return process.decode(data, header, deadline)
        except BgremoveError as error:
            if not process.is_alive:
                self.on_end(_ending(error))
            raise
        finally:
            self._put_back(process)

    def __enter__(self) -> DecoderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the decoders; those at work end with their picture."""
        with self._lock:
            self._closed = True
            idle, self._idle = self._idle, []
        for process in idle:
            process.kill()

    def _take(self) -> DecoderProcess:
        while True:
            with self._lock:
                if not self._idle:
                    break
                process = self._idle.pop()
            if process.is_alive:
                return process
            process.kill()
            self.on_end("lost")
        return self._started()

    def _started(self) -> DecoderProcess:
        try:
            return DecoderProcess(self._limits)
        except OSError as error:
            raise UpstreamError("No decoder could be started", private=str(error)) from error

    def _put_back(self, process: DecoderProcess) -> None:
        with self._lock:
            if process.is_alive and not self._closed:
                self._idle.append(process)
                return
        process.kill()


def _ending(error: BgremoveError) -> str:
    if isinstance(error, DeadlineExceededError):
        return "timeout"
    return "lost" if isinstance(error, DecoderGoneError) else "crash"
