"""Messages between a worker and a decoder: numbered JSON objects, validated on arrival.

A decoder parses untrusted bytes in native code, so the worker does not trust its answers. An answer
must carry the number of its request, known names and bounded values, or it is rejected.
"""

from __future__ import annotations

import json
import re
import socket
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from bgremove.datatypes import ImageHeader, ImageType

END = b"\n"  # of a message; serialised JSON contains no newline
MESSAGE_BYTES = 64 * 1024  # limit of a request or an answer; typical ones are under 1 kB
MAX_PRIVATE = 4_000  # characters of a library's text or a traceback, so that a message fits
MAX_SENTENCE = 300  # characters of an error message shown to a client
MAX_WARNINGS = 8
WARNING = re.compile(r"[a-z][a-z0-9-]{0,39}")  # sent in a response header

PICTURE, UPSTREAM, FAULT = "picture", "upstream", "fault"  # at fault: picture, machine, our code
KINDS = frozenset({PICTURE, UPSTREAM, FAULT})


@dataclass(frozen=True, slots=True)
class Request:
    """A picture to decode; a memory file holds its bytes and, after them, its profile.

    ``header`` is the picture's, without profile and density. ``profile_bytes`` is None if the
    picture has no profile.
    """

    number: int
    header: ImageHeader
    data_bytes: int
    profile_bytes: int | None
    cpu_s: float

    @classmethod
    def of(cls, number: int, data: bytes, header: ImageHeader, cpu_s: float) -> Request:
        """Return the request for ``data``, which `probe` described by ``header``."""
        profile = header.icc_profile
        profile_bytes = None if profile is None else len(profile)
        bare = replace(header, icc_profile=None, density=None)
        return cls(number, bare, len(data), profile_bytes, cpu_s)


@dataclass(frozen=True, slots=True)
class Decoded:
    """An answer to a request whose pixels are written."""

    number: int
    has_alpha: bool
    carries_profile: bool
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refused:
    """An answer to a request that failed; ``kind`` names the cause."""

    number: int
    kind: str
    message: str
    private: str


DECODED = {field.name for field in fields(Decoded)}
REFUSED = {field.name for field in fields(Refused)}


class NonsenseError(ValueError):
    """An answer that a working decoder never gives."""


def packed(message: Request | Decoded | Refused) -> bytes:
    """Serialise a message for sending."""
    return json.dumps(asdict(message)).encode() + END


def rest_of(message: bytes, channel: socket.socket) -> bytes:
    """Read the rest of a message on a channel that does not preserve message boundaries."""
    while channel.type == socket.SOCK_STREAM and message and not message.endswith(END):
        part = channel.recv(MESSAGE_BYTES)
        message = message + part if part else b""
    return message


def channel_pair() -> tuple[socket.socket, socket.socket]:
    """Create a connected pair of sockets; on macOS they do not preserve message boundaries."""
    try:
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    except (AttributeError, OSError):
        return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


def request_in(message: bytes) -> Request:
    """Parse a request sent by a worker."""
    values = json.loads(message)
    stored = values["header"]
    header = ImageHeader(**(stored | {"type": ImageType(stored["type"])}))
    return Request(**(values | {"header": header}))


def answer_in(message: bytes, number: int) -> Decoded | Refused:
    """Parse a decoder's answer to request ``number``.

    Raises:
        NonsenseError: The message is not an answer, or answers another request.

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
    # A fault ends the decoder and may happen before it reads any request.
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
