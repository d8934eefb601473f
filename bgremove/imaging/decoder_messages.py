"""Messages between a worker and a decoder: JSON objects, numbered, and checked on arrival.

A decoder reads bytes of strangers in native code, so the worker trusts no word of it: an answer has
the number of its request, known names and bounded values, or it is refused.
"""

from __future__ import annotations

import json
import re
import socket
from dataclasses import asdict, dataclass, fields
from typing import Any

from bgremove.datatypes import ImageHeader, ImageType

END = b"\n"  # of a message: JSON has none within
MESSAGE_BYTES = 64 * 1024  # of a request or an answer; they have under 1 kB
MAX_PRIVATE = 4_000  # characters of a library's text or a traceback, so that a message fits
MAX_SENTENCE = 300  # characters of a refusal, which a client gets to read
MAX_WARNINGS = 8
WARNING = re.compile(r"[a-z][a-z0-9-]{0,39}")  # goes into a header of the answer

PICTURE, UPSTREAM, FAULT = "picture", "upstream", "fault"  # at fault: picture, machine, our code
KINDS = frozenset({PICTURE, UPSTREAM, FAULT})


@dataclass(frozen=True, slots=True)
class Request:
    """A picture to decode; its bytes and its profile come in a memory file."""

    number: int
    type: str
    width: int
    height: int
    frames: int
    orientation: int
    reduction: int
    data_bytes: int
    profile_bytes: int | None
    cpu_s: float

    @classmethod
    def of(cls, number: int, data: bytes, header: ImageHeader, cpu_s: float) -> Request:
        """Return the request for ``data``, which `probe` described by ``header``."""
        return cls(
            number,
            header.type,
            header.width,
            header.height,
            header.frames,
            header.orientation,
            header.reduction,
            len(data),
            None if header.icc_profile is None else len(header.icc_profile),
            cpu_s,
        )

    def header(self, profile: bytes) -> ImageHeader:
        """Return the picture's header; ``profile`` is its colour profile, if it has one."""
        return ImageHeader(
            ImageType(self.type),
            self.width,
            self.height,
            self.frames,
            self.orientation,
            None if self.profile_bytes is None else profile,
            self.reduction,
        )


@dataclass(frozen=True, slots=True)
class Decoded:
    """The pixels of a request are written."""

    number: int
    has_alpha: bool
    carries_profile: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """A request has no pixels: ``kind`` says what is at fault."""

    number: int
    kind: str
    message: str
    private: str


DECODED = {field.name for field in fields(Decoded)}
REFUSED = {field.name for field in fields(Refused)}


class NonsenseError(ValueError):
    """An answer that no decoder in order gives."""


def packed(message: Request | Decoded | Refused) -> bytes:
    """Return a message as it is sent."""
    return json.dumps(asdict(message)).encode() + END


def rest_of(message: bytes, channel: socket.socket) -> bytes:
    """Return a message whole, where a channel without bounds of messages has given a part of it."""
    while channel.type == socket.SOCK_STREAM and message and not message.endswith(END):
        part = channel.recv(MESSAGE_BYTES)
        message = message + part if part else b""
    return message


def channel_pair() -> tuple[socket.socket, socket.socket]:
    """Connect two sockets for messages; those of macOS know no bounds of messages."""
    try:
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    except (AttributeError, OSError):
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def request_in(message: bytes) -> Request:
    """Return the request in what a worker sent."""
    return Request(**json.loads(message))


def answer_in(message: bytes, number: int) -> Decoded | Refused:
    """Return the answer to request ``number`` in what a decoder sent.

    Raises:
        NonsenseError: It is no answer, or one to another request.

    """
    try:
        values = json.loads(message)
    except (ValueError, RecursionError) as error:
        raise NonsenseError("no JSON") from error
    names = values.keys() if isinstance(values, dict) else set()
    answer: Decoded | Refused
    if names == DECODED and _is_decoded(values):
        answer = Decoded(**(values | {"warnings": tuple(values["warnings"])}))
    elif names == REFUSED and _is_refused(values):
        answer = Refused(**values)
    else:
        raise NonsenseError("a field is missing, unknown, of another type or out of bounds")
    # A fault ends the decoder: it may have come before any request was read.
    if answer.number != number and not (isinstance(answer, Refused) and answer.kind == FAULT):
        raise NonsenseError("the answer to another request")
    return answer


def _is_decoded(values: dict[str, Any]) -> bool:
    flags = values["has_alpha"], values["carries_profile"]
    warnings = values["warnings"]
    return (
        type(values["number"]) is int
        and all(type(flag) is bool for flag in flags)
        and isinstance(warnings, list)
        and len(warnings) <= MAX_WARNINGS
        and all(isinstance(word, str) and WARNING.fullmatch(word) for word in warnings)
    )


def _is_refused(values: dict[str, Any]) -> bool:
    message, private = values["message"], values["private"]
    return (
        type(values["number"]) is int
        and isinstance(values["kind"], str)
        and values["kind"] in KINDS
        and isinstance(message, str)
        and 0 < len(message) <= MAX_SENTENCE
        and message.isprintable()
        and isinstance(private, str)
        and len(private) <= MAX_PRIVATE
    )
