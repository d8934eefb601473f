"""Control one decoder process from the worker: start it, send it pictures, stop it."""

from __future__ import annotations

import contextlib
import itertools
import math
import os
import signal
import socket
import subprocess
import sys
import weakref
from pathlib import Path

import bgremove
from bgremove.datatypes import DecodedImage, ImageHeader
from bgremove.deadline import Deadline
from bgremove.errors import ImageError, UpstreamError
from bgremove.imaging.decoder.messages import (
    FAULT,
    MESSAGE_BYTES,
    PICTURE,
    Decoded,
    NonsenseError,
    Request,
    answer_in,
    channel_pair,
    packed,
    rest_of,
)
from bgremove.imaging.decoder.planes import Planes, finished, map_planes
from bgremove.imaging.probe import Limits
from bgremove.memory import memory_file, seal

CHILD = "bgremove.imaging.decoder.child"
INHERITED = ("PATH", "LD_LIBRARY_PATH")  # all that Python needs to start; secrets are not passed
# Bytes that a decoder may allocate per pixel of the limit. `probe` accepts pictures for which
# OpenCV needs up to 12. The other 12 are for rotation, splitting, and Pillow's conversion of CMYK.
MEMORY_PER_PIXEL = 24
SHORTEST_WAIT_S = 0.001  # a socket timeout of 0 means non-blocking
# Signals of a crash in a decoder. Every crash that a fuzzer found came from a damaged picture. With
# a 502 the gateway would retry the picture on the next worker.
CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP}
)
# CPU time beyond the deadline. The worker normally kills the decoder at the deadline itself.
CPU_GRACE_S = 5.0
FAILED = "The picture's decoder failed"


class DecoderGoneError(UpstreamError):
    """The decoder ended before it received the picture; another decoder can take it."""


class DecoderProcess:
    """A decoder in a child process, connected by a socket."""

    def __init__(self, limits: Limits) -> None:
        self._numbers = itertools.count(1)
        self._owes_answer = False
        self.pictures = 0  # sent so far
        self._channel, theirs = channel_pair()
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(self._channel.close)
            # A separate session, so that Ctrl-C at the server's terminal does not reach it.
            self._process = subprocess.Popen(  # noqa: S603 - no shell, no client input
                [sys.executable, "-m", CHILD, str(MEMORY_PER_PIXEL * limits.max_pixels)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # libjpeg and libpng print there, outside of any logging
                env=environment(limits),
                start_new_session=True,
            )
            undo.pop_all()
        _decoders.add(self)

    @property
    def pid(self) -> int:
        """The child's process id."""
        return int(self._process.pid)

    @property
    def is_alive(self) -> bool:
        """Return whether the child is running."""
        return self._process.poll() is None

    def decode(self, data: bytes, header: ImageHeader, deadline: Deadline) -> DecodedImage:
        """Decode a picture in the child.

        Any failure between the request and a valid answer ends the child, so that no later picture
        receives this picture's answer.

        Raises:
            ImageError: The picture is damaged.
            DecoderGoneError: The child ended before it received the picture.
            UpstreamError: The child ended, ran out of memory or gave an invalid answer.
            DeadlineExceededError: The deadline passed first.

        """
        profile = header.icc_profile
        self.pictures += 1
        try:
            with (
                memory_file("picture", len(data) + len(profile or b"")) as picture,
                memory_file("pixels", 4 * math.prod(header.decoded_size)) as pixels,
            ):
                with os.fdopen(os.dup(picture), "wb") as file:
                    file.write(data)
                    file.write(profile or b"")
                answer = self._ask(data, header, [picture, pixels], deadline)
                _seal(pixels)
                self._owes_answer = False
                bgr, alpha = map_planes(pixels, header, has_alpha=answer.has_alpha)
        finally:
            if self._owes_answer:
                self.kill()
        planes = Planes(bgr, alpha, answer.carries_profile, answer.warnings)
        return finished(planes, header)

    def kill(self) -> None:
        """Kill the child and wait until it has ended."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def forget(self) -> None:
        """Leave the child to the process that this one was forked from."""
        self._channel.close()  # this process's copy: two processes would read each other's answers
        self._process.returncode = 0  # `subprocess` then neither signals it nor waits for it

    def _ask(
        self, data: bytes, header: ImageHeader, files: list[int], deadline: Deadline
    ) -> Decoded:
        number = next(self._numbers)
        request = Request.of(number, data, header, deadline.remaining_s + CPU_GRACE_S)
        self._owes_answer = True
        self._channel.settimeout(max(deadline.remaining_s, SHORTEST_WAIT_S))
        try:
            socket.send_fds(self._channel, [packed(request)], files)
        except TimeoutError:
            raise deadline.exceeded("decoding") from None
        except OSError as error:
            raise DecoderGoneError(
                "The picture's decoder had stopped", private=str(error)
            ) from error
        try:
            answer = answer_in(self._receive(deadline), number)
        except NonsenseError as error:
            raise UpstreamError(FAILED, private=f"a decoder answers nonsense: {error}") from error
        if isinstance(answer, Decoded):
            return answer
        self._owes_answer = answer.kind == FAULT  # the process ends after a fault
        kind = ImageError if answer.kind == PICTURE else UpstreamError
        raise kind(answer.message, private=answer.private or None)

    def _receive(self, deadline: Deadline) -> bytes:
        self._channel.settimeout(max(deadline.remaining_s, SHORTEST_WAIT_S))
        try:
            message = rest_of(self._channel.recv(MESSAGE_BYTES), self._channel)
        except TimeoutError:
            raise deadline.exceeded("decoding") from None
        except ConnectionError:
            message = b""
        if not message:
            self.kill()
            raise self._crash()
        return message

    def _crash(self) -> ImageError | UpstreamError:
        """Return ImageError if the picture crashed the decoder, UpstreamError if it was killed."""
        private = f"decoder process ended with {self._process.returncode}"
        if -self._process.returncode in CRASHES:
            return ImageError("The picture is damaged and cannot be read", private=private)
        return UpstreamError("The picture's decoder stopped unexpectedly", private=private)


_decoders: weakref.WeakSet[DecoderProcess] = weakref.WeakSet()


def _forget_all() -> None:
    for decoder in list(_decoders):
        decoder.forget()


os.register_at_fork(after_in_child=_forget_all)


def environment(limits: Limits) -> dict[str, str]:
    """Return the child's environment, from which OpenCV reads its limits at import."""
    package = str(Path(bgremove.__file__).parent.parent)
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | {
        "PYTHONPATH": package,
        "OPENCV_IO_MAX_IMAGE_PIXELS": str(limits.max_pixels),
        "OPENCV_IO_MAX_IMAGE_WIDTH": str(limits.max_side),
        "OPENCV_IO_MAX_IMAGE_HEIGHT": str(limits.max_side),
        "OPENCV_LOG_LEVEL": "SILENT",
        # Decoding is single-threaded; idle thread pools would only use memory.
        "MALLOC_ARENA_MAX": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


def _seal(pixels: int) -> None:
    try:
        seal(pixels)
    except OSError as error:
        private = "a decoder kept its pixels mapped for writing"
        raise UpstreamError(FAILED, private=private) from error
