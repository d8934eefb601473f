"""The worker's side of one decoder process: starting it, asking it, ending it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import math
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bgremove
from bgremove.datatypes import DecodedImage, ImageHeader
from bgremove.deadline import Deadline
from bgremove.errors import ImageError, UpstreamError
from bgremove.imaging.planes import MESSAGE_BYTES, Planes, finished, map_planes
from bgremove.imaging.probe import Limits

CHILD = "bgremove.imaging.decoder_child"
INHERITED = ("PATH", "LD_LIBRARY_PATH")  # what a Python may need to start; keys and the like stay
# Bytes a decoder may take for each pixel of the limit: `probe` lets in what OpenCV needs 12 for;
# as much again is for turning, splitting, and Pillow where it converts CMYK.
MEMORY_PER_PIXEL = 24
SHORTEST_WAIT_S = 0.001  # a socket takes 0 for "do not wait at all"
# Signals of a fault in a decoder. All that a fuzzer found were damaged pictures; to answer 502
# would have the gateway try them on the next worker.
CRASHES = frozenset(
    {signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL, signal.SIGTRAP}
)
CPU_GRACE_S = (
    5.0  # beyond the deadline, by which the worker has long killed a decoder that overruns
)


class DecoderGoneError(UpstreamError):
    """The decoder was dead before it got the picture: another may have it."""


class DecoderProcess:
    """One decoder: a child process at the other end of a socket."""

    def __init__(self, limits: Limits) -> None:
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, contextlib.ExitStack() as undo:
            undo.callback(self._channel.close)
            # A session of its own: a Ctrl-C at the server's terminal is not meant for it.
            self._process = subprocess.Popen(  # noqa: S603 - no shell, no word of a client's
                [sys.executable, "-m", CHILD, str(MEMORY_PER_PIXEL * limits.max_pixels)],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # libjpeg and libpng print there, past any logging
                env=environment(limits),
                start_new_session=True,
            )
            undo.pop_all()

    @property
    def pid(self) -> int:
        """The child's process id."""
        return int(self._process.pid)

    @property
    def is_alive(self) -> bool:
        """Whether the child still runs."""
        return self._process.poll() is None

    def decode(self, data: bytes, header: ImageHeader, deadline: Deadline) -> DecodedImage:
        """Have the child decode a picture; it is dead afterwards if it crashed or overran.

        Raises DecoderGoneError where it was dead before.
        """
        profile = header.icc_profile
        with (
            _memory_file("picture", len(data) + len(profile or b"")) as picture,
            _memory_file("pixels", 4 * math.prod(header.decoded_size)) as pixels,
        ):
            os.pwritev(picture, [data, profile or b""], 0)
            self._send(_request(data, header, deadline), [picture, pixels], deadline)
            answer = self._receive(deadline)
            bgr, alpha = map_planes(pixels, header, has_alpha=answer["has_alpha"])
        planes = Planes(bgr, alpha, answer["carries_profile"], tuple(answer["warnings"]))
        return finished(planes, header)

    def kill(self) -> None:
        """End the child, whatever it is at, and wait for that."""
        self._channel.close()
        self._process.kill()
        self._process.wait()

    def _send(self, request: dict[str, Any], files: list[int], deadline: Deadline) -> None:
        self._channel.settimeout(max(deadline.remaining_s, SHORTEST_WAIT_S))
        try:
            socket.send_fds(self._channel, [json.dumps(request).encode()], files)
        except TimeoutError:
            self.kill()
            raise deadline.exceeded("decoding") from None
        except OSError as error:
            self.kill()
            raise DecoderGoneError(
                "The picture's decoder had stopped", private=str(error)
            ) from error

    def _receive(self, deadline: Deadline) -> dict[str, Any]:
        self._channel.settimeout(max(deadline.remaining_s, SHORTEST_WAIT_S))
        try:
            message = self._channel.recv(MESSAGE_BYTES)
        except TimeoutError:
            self.kill()
            raise deadline.exceeded("decoding") from None
        except ConnectionError:
            message = b""
        if not message:
            self.kill()
            raise self._crash()
        answer: dict[str, Any] = json.loads(message)
        kind = answer.get("error")
        if kind == "fault":
            self.kill()
        if kind is not None:
            error = ImageError if kind == "picture" else UpstreamError
            raise error(answer["message"], private=answer["private"] or None)
        return answer

    def _crash(self) -> ImageError | UpstreamError:
        """Tell a picture that crashed its decoder, and would again, from a decoder killed."""
        private = f"decoder process ended with {self._process.returncode}"
        if -self._process.returncode in CRASHES:
            return ImageError("The picture is damaged and cannot be read", private=private)
        return UpstreamError("The picture's decoder stopped unexpectedly", private=private)


def _request(data: bytes, header: ImageHeader, deadline: Deadline) -> dict[str, Any]:
    return {
        "type": header.type,
        "width": header.width,
        "height": header.height,
        "frames": header.frames,
        "orientation": header.orientation,
        "reduction": header.reduction,
        "data_bytes": len(data),
        "has_profile": header.icc_profile is not None,
        "cpu_s": deadline.remaining_s + CPU_GRACE_S,
    }


def environment(limits: Limits) -> dict[str, str]:
    """Return the child's environment; OpenCV reads its limits from there, and only at import."""
    package = str(Path(bgremove.__file__).parent.parent)
    inherited = {name: os.environ[name] for name in INHERITED if name in os.environ}
    return inherited | {
        "PYTHONPATH": package,
        "OPENCV_IO_MAX_IMAGE_PIXELS": str(limits.max_pixels),
        "OPENCV_IO_MAX_IMAGE_WIDTH": str(limits.max_side),
        "OPENCV_IO_MAX_IMAGE_HEIGHT": str(limits.max_side),
        "OPENCV_LOG_LEVEL": "SILENT",
        # Decoding is single-threaded; pools of idle threads would only cost memory.
        "MALLOC_ARENA_MAX": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }


@contextlib.contextmanager
def _memory_file(name: str, size: int) -> Iterator[int]:
    """Open a file in memory that the child can neither shrink nor grow under the worker's feet."""
    file = os.memfd_create(name, os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(file, size)
        fcntl.fcntl(file, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
        yield file
    finally:
        os.close(file)
