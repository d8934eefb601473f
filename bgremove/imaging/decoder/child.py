"""Decoder process: reads pictures and writes pixels through shared memory.

`pool` runs it as ``python -m bgremove.imaging.decoder.child BYTES``. Standard input is a
socket. ``BYTES`` is the memory that the process may allocate after startup. Each request passes
two memory files: one holds the picture, the other receives the pixels. The process ends when the
socket closes, so it never outlives its worker.
"""

from __future__ import annotations

import os
import resource
import socket
import sys
import traceback
from dataclasses import replace
from pathlib import Path
from types import TracebackType

import cv2
from PIL import Image

from bgremove import sandbox
from bgremove.errors import BgremoveError, ImageError, UpstreamError
from bgremove.imaging.decoder.decode import decode_planes
from bgremove.imaging.decoder.messages import (
    FAULT,
    MAX_PRIVATE,
    MAX_SENTENCE,
    MESSAGE_BYTES,
    PICTURE,
    UPSTREAM,
    Decoded,
    Refused,
    Request,
    packed,
    request_in,
    rest_of,
)
from bgremove.imaging.decoder.planes import write_planes
from bgremove.memory import return_freed_memory

STATM = Path("/proc/self/statm")
# No core dump, which would write a client's picture to disk. Files: the standard streams and those
# of a request. No child processes.
# Processor time in all: a decoder that a picture has taken over could outlive its worker.
LIMITS = {
    resource.RLIMIT_CORE: 0,
    resource.RLIMIT_NOFILE: 16,
    resource.RLIMIT_NPROC: 0,
    resource.RLIMIT_CPU: 3600,
}
OUT_OF_MEMORY = "There was not enough memory to read the picture"


def main(memory_bytes: int) -> None:
    """Answer requests on standard input until it closes."""
    channel = socket.socket(fileno=0)  # stays open for `report_last_words`
    report_last_words(channel)
    return_freed_memory()
    cv2.setNumThreads(1)  # with many cores, idle threads would exceed the address space limit
    Image.preinit()  # imports Pillow's readers now: later imports would fail
    limit_memory(memory_bytes)
    for limit, value in (LIMITS | {resource.RLIMIT_FSIZE: memory_bytes}).items():
        lower(limit, value)
    sandbox.confine()
    while serve_one(channel):
        pass
    channel.close()


def serve_one(channel: socket.socket) -> bool:
    """Receive one picture and answer it; return False when the other side has closed."""
    message, files, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 2)
    message = rest_of(message, channel)
    if not message:
        return False
    request = request_in(message)
    answer: Decoded | Refused
    try:
        answer = _answer(request, *files)
    except (ImageError, UpstreamError) as error:
        answer = _refusal(request.number, error)
    except MemoryError:
        # The traceback's frames hold the arrays, so they are freed before the answer is built.
        answer = _refusal(request.number, UpstreamError(OUT_OF_MEMORY))
    finally:
        for file in files:
            os.close(file)
    channel.send(packed(answer))
    return True


def _answer(request: Request, picture: int, pixels: int) -> Decoded:
    limit_cpu(request.cpu_s)
    data = os.pread(picture, request.data_bytes, 0)
    header = request.header
    if request.profile_bytes is not None:
        profile = os.pread(picture, request.profile_bytes, request.data_bytes)
        header = replace(header, icc_profile=profile)
    planes = decode_planes(data, header)
    write_planes(pixels, planes)
    has_alpha = planes.alpha is not None
    return Decoded(request.number, has_alpha, planes.carries_profile, planes.warnings)


def _refusal(number: int, error: BgremoveError) -> Refused:
    kind = PICTURE if isinstance(error, ImageError) else UPSTREAM
    private = (error.private or "")[:MAX_PRIVATE]
    return Refused(number, kind, error.message[:MAX_SENTENCE], private)


def lower(limit: int, value: int) -> None:
    """Lower a limit of this process to ``value``; a lower limit of the server stays."""
    hard = resource.getrlimit(limit)[1]
    if hard != resource.RLIM_INFINITY:
        value = min(value, hard)
    resource.setrlimit(limit, (value, value))


def limit_memory(extra_bytes: int) -> None:
    """Limit this process to its present address space plus ``extra_bytes``.

    Systems without /proc, such as macOS, do not enforce this limit, so it is not set there.
    """
    if not STATM.exists():
        return
    with STATM.open(encoding="ascii") as statm:
        now = int(statm.read().split()[0]) * resource.getpagesize()
    lower(resource.RLIMIT_AS, now + extra_bytes)


def limit_cpu(seconds: float) -> None:
    """Have the kernel end this process after ``seconds`` more of CPU time.

    The worker kills a decoder that exceeds its deadline. This limit applies when the worker itself
    has died.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    soft = int(used + seconds) + 1
    if hard != resource.RLIM_INFINITY:
        soft = min(soft, hard)
    resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))


def report_last_words(channel: socket.socket) -> None:
    """Send the traceback of an unhandled exception to the worker, which logs it."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))[-MAX_PRIVATE:]
        fault = UpstreamError("The picture's decoder failed", private=text)
        channel.send(packed(replace(_refusal(0, fault), kind=FAULT)))

    sys.excepthook = hook


if __name__ == "__main__":
    main(int(sys.argv[1]))
