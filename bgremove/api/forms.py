"""Read a multipart form whole and strictly: what is malformed is said, not taken for absent."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import IO, Any, cast

from flask import Request
from gunicorn.http.errors import ParseException
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge
from werkzeug.formparser import FormDataParser

from bgremove.deadline import Deadline
from bgremove.errors import Detail, ValidationError

MIB = 1024 * 1024
FORM_OVERHEAD_BYTES = MIB  # of a body beside its picture: boundaries, part headers, other fields
MAX_FIELD_BYTES = 256 * 1024  # of all text fields; below 128 kB Werkzeug breaks real uploads
SHOWN_CHARACTERS = 40  # of a client's own words, in an answer
MAX_FORM_PARTS = 100  # three are ever needed; enough to name the surplus ones
NAMELESS = "(no name)"  # stands for the name of a part that has none


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a form: a file's bytes, or a text.

    ``transfer_encoding`` is what a file declares to be wrapped in, in lower case.
    """

    content: bytes | str
    transfer_encoding: str = "binary"


class StrictRequest(Request):
    """A request whose form errors are raised, and whose files stay in memory.

    A body is bounded by MAX_CONTENT_LENGTH, so that no temporary file is needed.
    """

    max_form_memory_size = MAX_FIELD_BYTES
    max_form_parts = MAX_FORM_PARTS

    def make_form_data_parser(self) -> FormDataParser:
        """Make a parser that raises ValueError where the form is malformed."""
        return self.form_data_parser_class(
            self._get_file_stream,
            max_form_memory_size=self.max_form_memory_size,
            max_content_length=self.max_content_length,
            max_form_parts=self.max_form_parts,
            cls=self.parameter_storage_class,
            silent=False,
        )

    def _get_file_stream(self, *_: Any, **__: Any) -> IO[bytes]:
        return io.BytesIO()


def read_parts(request: Request, deadline: Deadline) -> dict[str, list[Part]]:
    """Return the parts of a form by field, in the order they came.

    A request without a body has no parts. Raises ValidationError when the body is no multipart
    form, is malformed, cut short (as what is not there by ``deadline`` has to be), or larger than
    the limits; neither Werkzeug's errors nor gunicorn's pass.
    """
    if not request.content_length and "Transfer-Encoding" not in request.headers:
        return {}
    if request.mimetype != "multipart/form-data":
        sent = request.mimetype or "no content type"
        raise _at_fault(f"Send a multipart/form-data form; this request has {shortened(sent)}")
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary or not boundary.isascii():
        raise _at_fault("The Content-Type of the form names no boundary, or not one in ASCII")
    try:
        texts, files = request.form, request.files
    except RequestEntityTooLarge:
        raise _too_large(request) from None
    except (ValueError, ClientDisconnected, ParseException) as error:
        if deadline.remaining_s <= 0:
            limit = f"{deadline.timeout_s:g} seconds"
            raise _at_fault(f"The form did not arrive whole within the limit of {limit}") from error
        raise _at_fault("The form is malformed or ends early", str(error)) from error
    parts: dict[str, list[Part]] = {}
    for name, text in texts.items(multi=True):
        parts.setdefault(name or NAMELESS, []).append(Part(text))
    for name, file in files.items(multi=True):
        parts.setdefault(name or NAMELESS, []).append(_file_part(file))
    return parts


def shortened(text: str) -> str:
    """Cut what a client sent to what an answer shows of it."""
    return text if len(text) <= SHOWN_CHARACTERS else text[:SHOWN_CHARACTERS] + "…"


def _file_part(file: FileStorage) -> Part:
    encoding = file.headers.get("Content-Transfer-Encoding", "binary")
    stream = cast("io.BytesIO", file.stream)  # as `_get_file_stream` makes them
    return Part(stream.getvalue(), encoding.lower())


def _at_fault(issue: str, private: str | None = None) -> ValidationError:
    """Make the error for a form of which no field can be read: so its picture cannot either."""
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
        f"{MAX_FIELD_BYTES:,} bytes of text (a picture sent without a file name counts as text)"
    )
