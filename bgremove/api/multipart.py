"""Read a multipart form strictly: malformed parts are errors and are never ignored."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from flask import Request
from gunicorn.http.errors import ParseException
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.sansio.multipart import (
    Data,
    Epilogue,
    Event,
    Field,
    File,
    MultipartDecoder,
    NeedData,
    State,
)

from bgremove.deadline import Deadline
from bgremove.errors import CompressedBodyError, Detail, ValidationError

MIB = 1024 * 1024
FORM_OVERHEAD_BYTES = MIB  # body bytes besides the picture: boundaries, part headers, other fields
MAX_FIELD_BYTES = 256 * 1024  # all text fields together; below 128 kB Werkzeug breaks real uploads
# Headers of all parts together; browsers and curl send about 150 bytes a part. Werkzeug parses them
# in Python: 10 MB of them took 3.5 s, in which no other thread ran.
MAX_HEAD_BYTES = 32 * 1024
BLANK_LINE = re.compile(rb"\r\n\r\n|\r\r|\n\n")  # ends the headers of a part
SHOWN_CHARACTERS = 40  # length of client text quoted in an answer
BLOCK_BYTES = 64 * 1024  # bytes per read
MAX_FORM_PARTS = 100  # a form needs seven at most; the rest allows naming surplus fields
BYTES = "application/octet-stream"
NAMELESS = "(no name)"  # placeholder for a missing part name


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form: a file's bytes or a text.

    ``transfer_encoding`` is the declared Content-Transfer-Encoding of a file, in lower case.
    """

    content: bytes | str
    transfer_encoding: str = "binary"


class BoundedDecoder(MultipartDecoder):
    """Werkzeug's decoder. It refuses headers of parts above the limit before it parses them."""

    _head_bytes_left = MAX_HEAD_BYTES

    def next_event(self) -> Event:
        """Return the next event; raise RequestEntityTooLarge if it has too long headers."""
        if self.state is State.PART:
            blank = BLANK_LINE.search(self.buffer)
            end = blank.start() if blank else len(self.buffer)
            if end > self._head_bytes_left:
                raise RequestEntityTooLarge
            self._head_bytes_left -= end if blank else 0
        return super().next_event()


def read_parts(request: Request, deadline: Deadline) -> dict[str, list[Part]]:
    """Return the parts of a form by field, in their order of arrival.

    A request without a body has no parts.

    Raises:
        ValidationError: The body is no multipart form, is malformed, is larger than the limits, or
            ends early. A body that is incomplete at ``deadline`` ends early. Errors of Werkzeug and
            gunicorn are converted.

    """
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return {}
    if request.mimetype != "multipart/form-data":
        sent = request.mimetype or "no content type"
        raise _at_fault(f"Send a multipart/form-data form; this request has {shown(sent)}")
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary or not boundary.isascii():
        raise _at_fault("The Content-Type of the form names no boundary, or not one in ASCII")
    parts: dict[str, list[Part]] = {}
    try:
        for name, part in _parts_of(request.stream, boundary.encode("ascii")):
            parts.setdefault(name or NAMELESS, []).append(part)
    except RequestEntityTooLarge:
        raise _too_large(request) from None
    except (ValueError, ClientDisconnected, ParseException) as error:
        if deadline.remaining_s <= 0:
            limit = f"{deadline.timeout_s:g} seconds"
            raise _at_fault(f"The form did not arrive whole within the limit of {limit}") from error
        raise _at_fault("The form is malformed or ends early", str(error)) from error
    return parts


def refuse_compressed(request: Request) -> None:
    """Check that the body is not compressed.

    Raises:
        CompressedBodyError: Content-Encoding names a compression.

    """
    coding = request.headers.get("Content-Encoding", "").strip()
    if coding and coding.lower() != "identity":
        raise CompressedBodyError(shown(coding))


def shown(text: str) -> str:
    """Return a client's text as a message has it: cut, and escaped if it cannot be printed."""
    cut = shortened(text)
    return cut if cut.isprintable() else ascii(cut)


def shortened(text: str) -> str:
    """Cut a client's text to the length that an answer quotes."""
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def _parts_of(stream: IO[bytes], boundary: bytes) -> Iterator[tuple[str, Part]]:
    """Decode a form; yield the name of each part and the part."""
    decoder = BoundedDecoder(boundary, MAX_FIELD_BYTES, max_parts=MAX_FORM_PARTS)
    head: Field | File | None = None
    content, text_bytes = io.BytesIO(), 0
    while True:
        decoder.receive_data(stream.read(BLOCK_BYTES) or None)
        while not isinstance(event := decoder.next_event(), NeedData):
            if isinstance(event, Epilogue):
                return
            if isinstance(event, Field | File):
                head, content = event, io.BytesIO()
            elif isinstance(event, Data) and head is not None:
                content.write(event.data)
                if not _is_file(head):
                    text_bytes += len(event.data)
                    if text_bytes > MAX_FIELD_BYTES:
                        raise RequestEntityTooLarge
                if not event.more_data:
                    yield head.name, _part(head, content.getvalue())


def _is_file(head: Field | File) -> bool:
    """Return True for a file. RFC 7578 (4.2) only recommends a file name for a file."""
    if isinstance(head, File):
        return True
    kind = head.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    return head.name == "image" and (kind == BYTES or kind.startswith("image/"))


def _part(head: Field | File, content: bytes) -> Part:
    if not _is_file(head):
        return Part(content.decode("utf-8", "replace"))
    return Part(content, head.headers.get("Content-Transfer-Encoding", "binary").lower())


def _at_fault(issue: str, private: str | None = None) -> ValidationError:
    """Make the error for an unreadable form, which has no readable picture either."""
    return ValidationError(issue, details=(Detail("image", issue),), private=private)


def _too_large(request: Request) -> ValidationError:
    limit = request.max_content_length or 0
    length = request.content_length
    if length is not None and length > limit:
        return _at_fault(
            f"The request has {length:,} bytes, more than a picture of "
            f"{limit - FORM_OVERHEAD_BYTES:,} bytes and the rest of its form may have"
        )
    return _at_fault(
        f"The form is larger than the limits: {limit:,} bytes in all, {MAX_FORM_PARTS} parts, "
        f"{MAX_HEAD_BYTES:,} bytes of their headers, {MAX_FIELD_BYTES:,} bytes of text (a picture "
        "without a file name counts as text, unless its Content-Type is image/* or "
        "application/octet-stream)"
    )
