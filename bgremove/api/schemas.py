"""The JSON bodies of answers as marshmallow schemas.

The OpenAPI document describes an answer by its schema, and the same schema dumps it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from marshmallow import RAISE, Schema, fields
from marshmallow.validate import OneOf, Range

from bgremove.datatypes import Effort, WarningCode
from bgremove.errors import ErrorCode
from bgremove.options import Encoding, OutputFormat, Subject
from bgremove.serving.request import REQUEST_ID_PATTERN


class Null(fields.Field[None]):
    """A field that is always null."""

    def _serialize(self, *_: Any, **__: Any) -> None:
        """Return null for every object."""


class Moment(fields.Field[datetime]):
    """A moment in UTC with milliseconds and ``Z``, such as 2026-02-17T17:40:22.456Z."""

    PATTERN = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$"

    def _serialize(self, value: datetime | None, *_: Any, **__: Any) -> str | None:
        if value is None:
            return None
        return value.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def text(description: str, name: str | None = None, **keywords: Any) -> fields.String:
    """Declare a text.

    ``name`` is its name in JSON, if different. ``keywords`` are keywords of JSON Schema.
    """
    metadata = {"description": description, "schema": keywords}
    return fields.String(required=True, data_key=name, metadata=metadata)


def optional_text(description: str) -> fields.String:
    """Declare a text that may be left out."""
    return fields.String(metadata={"description": description})


def one_of(description: str, values: list[str], name: str | None = None) -> fields.String:
    """Declare a text that is one of ``values``."""
    metadata = {"description": description}
    return fields.String(required=True, data_key=name, validate=OneOf(values), metadata=metadata)


def number(description: str, least: int = 0, name: str | None = None) -> fields.Integer:
    """Declare a whole number."""
    at_least, metadata = Range(min=least), {"description": description}
    return fields.Integer(required=True, data_key=name, validate=at_least, metadata=metadata)


def mapping(description: str) -> fields.Dict:
    """Declare an object whose values are texts."""
    return fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": description},
    )


def warning_codes() -> fields.List[str]:
    """Declare the list of warnings, with the values of X-Warnings."""
    return fields.List(
        fields.String(validate=OneOf(list(WarningCode))),
        required=True,
        metadata={"description": "How the answer differs from the request; see X-Warnings."},
    )


class Strict(Schema):
    """A schema without unknown fields."""

    class Meta:
        """Options of marshmallow."""

        unknown = RAISE

    def get_attribute(self, obj: Any, attr: str, default: Any) -> Any:
        """Return a key of a mapping or an attribute of another object.

        marshmallow's own method also finds the methods of a dict.
        """
        if isinstance(obj, Mapping):
            return obj.get(attr, default)
        return super().get_attribute(obj, attr, default)


class MetaSchema(Strict):
    """``meta`` of an envelope."""

    request_id = text(
        "The id of the request, as in X-Request-Id and in the log.",
        "requestId",
        pattern=f"^{REQUEST_ID_PATTERN.pattern}$",
    )
    created_at = Moment(
        required=True,
        data_key="createdAt",
        metadata={
            "description": "When the answer was made, in UTC.",
            "schema": {"type": "string", "format": "date-time", "pattern": Moment.PATTERN},
        },
    )
    processing_ms = number("Milliseconds from the request to the answer.", name="processingMs")


class DetailSchema(Strict):
    """One faulty field."""

    field = text("The name of the field.")
    issue = text("What is wrong with it.")


class ErrorSchema(Strict):
    """``error`` of an envelope."""

    code = one_of("What kind of error it is; for programs.", list(ErrorCode))
    message = text("A sentence for people, naming the limit and the value.", minLength=1)
    details = fields.List(
        fields.Nested(DetailSchema),
        required=True,
        metadata={"description": "Every faulty field, all at once."},
    )


class EnvelopeSchema(Strict):
    """The fields of both envelopes."""

    meta = fields.Nested(MetaSchema, required=True)
    warnings = warning_codes()


class ErrorEnvelopeSchema(EnvelopeSchema):
    """The body of every answer that is not a success."""

    data = Null(required=True, dump_default=None)
    error = fields.Nested(ErrorSchema, required=True)


class ForegroundSchema(Strict):
    """The bounding box of the subject."""

    top = number("Pixels above the box.")
    left = number("Pixels to the left of the box.")
    width = number("Width of the box in pixels.", 1)
    height = number("Height of the box in pixels.", 1)


class RemovalDataSchema(Strict):
    """``data`` of a removal."""

    image = text("The picture, in base64.", contentEncoding="base64", minLength=1)
    content_type = one_of(
        "The type of the picture.", [f"image/{kind}" for kind in Encoding], "contentType"
    )
    width = number("Width of the answer in pixels.", 1)
    height = number("Height of the answer in pixels.", 1)
    subject = one_of("The pipeline that was asked for.", list(Subject))
    output_format = one_of(
        "The kind of answer that was asked for.", list(OutputFormat), "outputFormat"
    )
    model = text("The weights that ran, joined by +; none where no network was needed.")
    confidence = fields.Float(
        required=True,
        validate=Range(min=0, max=1),
        metadata={"description": "The share of mask and true subject expected to be common."},
    )
    warnings = warning_codes()
    foreground = fields.Nested(
        ForegroundSchema,
        required=True,
        metadata={"description": "The subject's box, in the pixels of the picture sent."},
    )


class RemovalEnvelopeSchema(EnvelopeSchema):
    """A success, if Accept names application/json and no image."""

    data = fields.Nested(RemovalDataSchema, required=True)
    error = Null(required=True, dump_default=None)


class LiveSchema(Strict):
    """GET /livez."""

    status = one_of("Always this.", ["live"])


class ReadySchema(Strict):
    """GET /readyz of a ready worker."""

    status = one_of("Always this; what is not ready answers 503.", ["ready"])
    models = mapping("verified, absent, or what is wrong, by model.")
    subjects = mapping("The model that serves a subject, or unavailable.")
    provider = text("What computes.")
    effort = one_of("How many networks look at a picture.", [effort.value for effort in Effort])
    keys = optional_text("Whether the API keys of the file are in force; only where one is set.")
    gateway = optional_text("The same of the gateway's secret; only where one is set.")


class VersionSchema(Strict):
    """GET /version."""

    name = one_of("The name of the program.", ["bgremove"])
    version = text("The release that runs.")
