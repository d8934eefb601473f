"""The decoder's own process: pictures in, pixels out, through memory that both sides see.

Run by `decoder_pool` as ``python -m bgremove.imaging.decoder_child BYTES``, with a socket as
standard input and the memory it may take beyond its own start as argument. A message is JSON, never
pickle, and brings two memory files: the picture, and the sealed one that the pixels go into. The
process ends when the socket does, so none outlives its worker.
"""

from __future__ import annotations

import json
import mmap
import os
import resource
import socket
import sys
import traceback
from types import TracebackType
from typing import Any

import cv2

from bgremove.datatypes import ImageHeader, ImageType
from bgremove.errors import BgremoveError, ImageError, UpstreamError
from bgremove.imaging.decode import decode_planes
from bgremove.imaging.planes import MESSAGE_BYTES, write_planes

MAX_PRIVATE = 4_000  # characters of a library's text or a traceback, so that a message fits


def main(memory_bytes: int) -> None:
    """Answer requests on standard input until it closes."""
    channel = socket.socket(fileno=0)  # stays open for last words
    report_last_words(channel)
    cv2.setNumThreads(1)  # on many cores, the address space of idle threads would pass the limit
    limit_memory(memory_bytes)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # no picture of a client's on the disk
    while serve_one(channel):
        pass
    channel.close()


def serve_one(channel: socket.socket) -> bool:
    """Take one picture off the channel and answer; False when the other side has gone."""
    message, files, _, _ = socket.recv_fds(channel, MESSAGE_BYTES, 2)
    if not message:
        return False
    try:
        answer = _answer(json.loads(message), *files)
    except MemoryError:
        # The traceback's frames hold the arrays; they go before the answer is made.
        answer = _refusal(UpstreamError("There was not enough memory to read the picture"))
    finally:
        for file in files:
            os.close(file)
    channel.send(json.dumps(answer).encode())
    return True


def _answer(request: dict[str, Any], picture: int, pixels: int) -> dict[str, Any]:
    limit_cpu(request["cpu_s"])
    with mmap.mmap(picture, 0, prot=mmap.PROT_READ) as source:
        data, profile = source[: request["data_bytes"]], source[request["data_bytes"] :]
    header = ImageHeader(
        ImageType(request["type"]),
        request["width"],
        request["height"],
        request["frames"],
        request["orientation"],
        profile if request["has_profile"] else None,
        request["reduction"],
    )
    try:
        planes = decode_planes(data, header)
    except (ImageError, UpstreamError) as error:
        return _refusal(error)
    write_planes(pixels, planes)
    return {
        "has_alpha": planes.alpha is not None,
        "carries_profile": planes.carries_profile,
        "warnings": planes.warnings,
    }


def _refusal(error: BgremoveError) -> dict[str, Any]:
    kind = "picture" if isinstance(error, ImageError) else "upstream"
    return {"error": kind, "message": error.message, "private": (error.private or "")[:MAX_PRIVATE]}


def limit_memory(extra_bytes: int) -> None:
    """Let allocations fail that take this process beyond what it has now and ``extra_bytes``."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        now = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (now + extra_bytes, now + extra_bytes))


def limit_cpu(seconds: float) -> None:
    """Let the kernel end this process after so many more seconds of work.

    The worker kills a decoder that overruns its deadline; this is for one whose worker has died.
    """
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = usage.ru_utime + usage.ru_stime
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(used + seconds) + 1, hard))


def report_last_words(channel: socket.socket) -> None:
    """Send the traceback of a fault in this code to the worker, whose log it belongs in."""

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        text = "".join(traceback.format_exception(kind, error, trace))[-MAX_PRIVATE:]
        fault = UpstreamError("The picture's decoder failed", private=text)
        channel.send(json.dumps(_refusal(fault) | {"error": "fault"}).encode())

    sys.excepthook = hook


if __name__ == "__main__":
    main(int(sys.argv[1]))
