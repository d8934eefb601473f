"""Pool of decoder processes: a native decoder can hang or crash without harm to the worker.

A worker serves several requests from threads. A segmentation fault or an endless loop inside a
library would stop all of them. Pictures are therefore decoded in a few child processes. A decoder
that exceeds its deadline is killed. A decoder that crashes fails only its own request. Both are
replaced.

Overhead, on two shared cores: 1 ms for 0.3 megapixels, 4 for 2, 17 for 12, 53 for 50 (a JPEG of
those sizes decodes in 2, 11, 75 and 310 ms); 50 MB resident (24 PSS) per process; 0.15 s to start.
The pool starts one decoder, and adds another only after a picture has waited for about the time
that a start takes.
"""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from bgremove.datatypes import DecodedImage, ImageHeader, ImageType
from bgremove.deadline import Deadline
from bgremove.errors import BgremoveError, DeadlineExceededError, ImageError, UpstreamError
from bgremove.imaging.decoder.process import DecoderGoneError, DecoderProcess
from bgremove.imaging.probe import Limits

PATIENCE_S = 0.15  # wait for a busy decoder before another is started
# Pictures that a decoder reads before it is replaced. This bounds the number of other pictures that
# a malicious picture can reach after it takes over a decoder. A start costs 0.15 s, or 0.6 ms per
# picture.
MOST_PICTURES = 250
# A picture is not blamed if its decoder, killed at the deadline, ran for less than this share of
# the time of a request.
LATE_SHARE = 0.5
# A PNG of one gray pixel.
KNOWN_PICTURE = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b55"
    "0000000a4944415478da6368000000820081da45083b0000000049454e44ae426082"
)
WAITING = "waiting for decoding"


class DecoderPool:
    """Up to ``size`` decoders, started on demand; each decodes one picture at a time.

    Safe to use from several threads. ``on_end`` is called with the cause when a decoder ends
    early: ``crash``, ``timeout``, ``late`` if a slow server left it little time, or ``lost`` if it
    ended before it received a picture.
    """

    def __init__(
        self,
        limits: Limits,
        size: int = 2,
        on_end: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._limits = limits
        self._size = size
        self._changed = threading.Condition()
        self._idle: list[DecoderProcess] = []
        self._busy = 0
        self._closed = False
        self._on_end = on_end
        # A pool that is dropped without `close`, or at exit, leaves no processes behind.
        weakref.finalize(self, _kill_all, self._idle)

    def start(self, count: int = 1) -> None:
        """Start ``count`` decoders now, so that the first requests do not wait."""
        for _ in range(min(count, self._size) - len(self._idle)):
            self._keep(self._started())

    def check(self, deadline: Deadline) -> None:
        """Decode a known, valid picture; raise UpstreamError if that fails."""
        try:
            self.decode(KNOWN_PICTURE, ImageHeader(ImageType.PNG, 1, 1), deadline)
        except ImageError as error:
            raise UpstreamError(error.message, private=error.private) from error

    def decode(self, data: bytes, header: ImageHeader, deadline: Deadline) -> DecodedImage:
        """Decode a picture accepted by `probe`; ``header`` is the header returned for ``data``.

        Raises ImageError for a damaged picture, UpstreamError if its decoder crashed or ran out
        of memory, DeadlineExceededError if the deadline passes first.
        """
        with self._turn(deadline) as idle:
            if idle is not None:
                try:
                    return self._decode_with(idle, data, header, deadline)
                except DecoderGoneError:
                    pass  # the decoder died while idle; another takes the picture
            return self._decode_with(self._started(), data, header, deadline)

    def _decode_with(
        self, process: DecoderProcess, data: bytes, header: ImageHeader, deadline: Deadline
    ) -> DecodedImage:
        started = time.monotonic()
        try:
            return process.decode(data, header, deadline)
        except BgremoveError as error:
            if not process.is_alive:
                is_late = time.monotonic() - started < LATE_SHARE * deadline.timeout_s
                self._on_end(_ending(error, is_late))
            raise
        finally:
            self._keep(process)

    @contextmanager
    def _turn(self, deadline: Deadline) -> Iterator[DecoderProcess | None]:
        """Yield an idle decoder, or None if one may be started; raise at the deadline."""
        with self._changed:
            patient_until = time.monotonic() + PATIENCE_S
            while not self._idle:
                patience = patient_until - time.monotonic() if self._busy else 0
                if self._busy < self._size and patience <= 0:
                    break
                if deadline.remaining_s <= 0:
                    raise deadline.exceeded(WAITING)
                at_most = patience if patience > 0 else deadline.remaining_s
                self._changed.wait(min(at_most, deadline.remaining_s))
            process = self._idle.pop() if self._idle else None
            self._busy += 1
        try:
            yield process
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify()

    def __enter__(self) -> DecoderPool:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop the decoders; busy ones stop after their current picture."""
        with self._changed:
            self._closed = True
            idle = self._idle.copy()
            self._idle.clear()
        _kill_all(idle)

    def _started(self) -> DecoderProcess:
        try:
            return DecoderProcess(self._limits)
        except OSError as error:
            raise UpstreamError("No decoder could be started", private=str(error)) from error

    def _keep(self, process: DecoderProcess) -> None:
        with self._changed:
            is_spent = process.pictures >= MOST_PICTURES
            if process.is_alive and not self._closed and not is_spent:
                self._idle.append(process)
                return
        process.kill()


def _ending(error: BgremoveError, is_late: bool) -> str:
    if isinstance(error, DeadlineExceededError):
        return "late" if is_late else "timeout"
    return "lost" if isinstance(error, DecoderGoneError) else "crash"


def _kill_all(processes: list[DecoderProcess]) -> None:
    for process in processes:
        process.kill()
