"""The form of a removal as a marshmallow schema. One pass finds every faulty field."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, cast

from marshmallow import RAISE, Schema, ValidationError, fields

from bgremove import options
from bgremove.api.multipart import Part, shortened
from bgremove.options import OutputFormat, Subject

REQUIRED = "File is required and cannot be empty"
TOO_LARGE = "The file has {size} bytes, more than the limit of {limit} bytes"
UNWRAPPED = frozenset({"7bit", "8bit", "binary"})  # transfer encodings that change nothing


class PictureField(fields.Field[bytes]):
    """Exactly one file, not empty, of at most ``max_upload_bytes`` of its schema."""

    def _deserialize(self, value: list[Part], *_: Any, **__: Any) -> bytes:
        if len(value) > 1:
            raise ValidationError(f"Send one file, not {len(value)}")
        content = value[0].content
        if isinstance(content, str):
            raise ValidationError("Send a file, not text (with curl: -F image=@photo.jpg)")
        if not content:
            raise ValidationError(REQUIRED)
        if (encoding := value[0].transfer_encoding) not in UNWRAPPED:
            raise ValidationError(
                f"Send the file as it is, not in Content-Transfer-Encoding {shortened(encoding)}"
            )
        limit = cast("RemovalFormSchema", self.root).max_upload_bytes
        if len(content) > limit:
            raise ValidationError(TOO_LARGE.format(size=f"{len(content):,}", limit=f"{limit:,}"))
        return content


class TextField(fields.Field[Any]):
    """At most one text, converted by ``parse``.

    ``parse`` raises ValueError with a sentence for the client. ``schema`` describes the text in
    JSON Schema.
    """

    def __init__(self, parse: Callable[[str], Any], description: str, **schema: Any) -> None:
        metadata = {"description": description, "schema": {"type": "string"} | schema}
        super().__init__(metadata=metadata)
        self.parse = parse

    def _deserialize(self, value: list[Part], *_: Any, **__: Any) -> Any:
        text = _text(value)
        try:
            return self.parse(text)
        except ValueError as error:
            raise ValidationError(f"{error}; got {shortened(text)!r}") from None


class ChoiceField(fields.Field[StrEnum]):
    """At most one text, a value of an enumeration."""

    def __init__(self, choices: type[StrEnum], default: StrEnum, description: str) -> None:
        super().__init__(load_default=default, metadata={"description": description})
        self.choices = choices

    def _deserialize(self, value: list[Part], *_: Any, **__: Any) -> StrEnum:
        text = _text(value)
        if text not in {choice.value for choice in self.choices}:
            shown = shortened(text)
            raise ValidationError(f"Must be one of {', '.join(self.choices)}; got {shown!r}")
        return self.choices(text)


def _text(value: list[Part]) -> str:
    if len(value) > 1:
        raise ValidationError(f"Send one value, not {len(value)}")
    content = value[0].content
    if not isinstance(content, str):
        raise ValidationError("Send text, not a file")
    return content


class RemovalFormSchema(Schema):
    """The picture and its options. Any other field is an error."""

    error_messages = {"unknown": "There is no such field"}  # noqa: RUF012 -- marshmallow's own

    image = PictureField(
        required=True,
        error_messages={"required": REQUIRED},
        metadata={"description": "The picture, as a file; its type is decided by its content."},
    )
    subject = ChoiceField(Subject, Subject.UNIVERSAL, "What the picture shows.")
    output_format = ChoiceField(
        OutputFormat,
        OutputFormat.TRANSPARENT,
        "The subject on transparency, on white, cropped to its box, or a mask of it.",
    )
    # Neither examples nor patterns: /docs would fill in text that fits them and send it.
    background = TextField(
        options.parse_background,
        f"The ground of white_bg, white unless given: {options.BACKGROUND_WORDS}.",
    )
    margin = TextField(
        options.parse_margin,
        "With crop, and with white_bg, which it then crops: space around the subject's box: "
        f"{options.MARGIN_WORDS}. With a canvas, pixels are those of the canvas.",
    )
    canvas = TextField(
        options.parse_canvas,
        "With crop and white_bg: the subject with its margin, as large as fits, in the middle of a "
        f"canvas: {options.CANVAS_WORDS}, and within the limit of pixels.",
    )

    class Meta:
        """Options of marshmallow."""

        unknown = RAISE

    def __init__(self, max_upload_bytes: int) -> None:
        super().__init__()
        self.max_upload_bytes = max_upload_bytes
