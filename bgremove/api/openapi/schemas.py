"""The bodies of answers as marshmallow schemas; the form that is sent has its own in api.schemas.

They describe, and real answers are checked against them in the tests; nothing is dumped by them.
"""

from __future__ import annotations

from typing import Any

from marshmallow import RAISE, Schema, fields
from marshmallow.validate import OneOf, Range

from bgremove.api.openapi.errors import CATALOGUE
from bgremove.api.openapi.warnings import WARNINGS
from bgremove.datatypes import OutputFormat, Subject
from bgremove.serving.context import REQUEST_ID_PATTERN


class Null(fields.Field[None]):
    """A field that is always null."""


def text(description: str, name: str | None = None, **keywords: Any) -> fields.String:
    """Declare a text; ``name`` where JSON spells it otherwise, ``keywords`` of JSON Schema."""
    metadata = {"description": description, "schema": keywords}
    return fields.String(required=True, data_key=name, metadata=metadata)


def one_of(description: str, values: list[str], name: str | None = None) -> fields.String:
    """Declare a text that is one of ``values``."""
    metadata = {"description": description}
    return fields.String(required=True, data_key=name, validate=OneOf(values), metadata=metadata)


def number(description: str, least: int = 0, name: str | None = None) -> fields.Integer:
    """Declare a whole number."""
    at_least, metadata = Range(min=least), {"description": description}
    return fields.Integer(required=True, data_key=name, validate=at_least, metadata=metadata)


def mapping(description: str) -> fields.Dict:
    """Declare an object of texts."""
    return fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        required=True,
        metadata={"description": description},
    )


class Strict(Schema):
    """A schema that knows all of its fields."""

    class Meta:
        """marshmallow's options."""

        unknown = RAISE


class MetaSchema(Strict):
    """``meta`` of an envelope."""

    request_id = text(
        "The id of the request, as in X-Request-Id and in the log.",
        "requestId",
        pattern=f"^{REQUEST_ID_PATTERN.pattern}$",
    )
    created_at = text(
        "When the answer was made, in UTC.",
        "createdAt",
        format="date-time",
        pattern=r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$",
    )
    processing_ms = number("Milliseconds from the request to the answer.", name="processingMs")


class DetailSchema(Strict):
    """One faulty field."""

    field = text("The name of the field.")
    issue = text("What is wrong with it.")


class ErrorSchema(Strict):
    """``error`` of an envelope."""

    code = one_of("What kind of error it is; for programs.", sorted({e.code for e in CATALOGUE}))
    message = text("A sentence for people, naming the limit and the value.", minLength=1)
    details = fields.List(
        fields.Nested(DetailSchema),
        required=True,
        metadata={"description": "Every faulty field, all at once."},
    )


class EnvelopeSchema(Strict):
    """What both envelopes share."""

    meta = fields.Nested(MetaSchema, required=True)
    warnings = fields.List(
        fields.String(validate=OneOf(list(WARNINGS))),
        required=True,
        metadata={"description": "What was bent, in the words of X-Warnings."},
    )


class ErrorEnvelopeSchema(EnvelopeSchema):
    """Every answer that is not a success."""

    data = Null(required=True)
    error = fields.Nested(ErrorSchema, required=True)


class ForegroundSchema(Strict):
    """The subject's box."""

    top = number("Pixels above the box.")
    left = number("Pixels to the left of the box.")
    width = number("Width of the box in pixels.", 1)
    height = number("Height of the box in pixels.", 1)


class RemovalDataSchema(Strict):
    """``data`` of a removal."""

    image = text("The picture, in base64.", contentEncoding="base64", minLength=1)
    content_type = one_of("The type of the picture.", ["image/png", "image/jpeg"], "contentType")
    width = number("Width of the answer in pixels.", 1)
    height = number("Height of the answer in pixels.", 1)
    subject = one_of("The pipeline that was asked for.", list(Subject))
    output_format = one_of(
        "The kind of answer that was asked for.", list(OutputFormat), "outputFormat"
    )
    model = text("The weights that ran, joined by + where a second network was asked.")
    foreground = fields.Nested(
        ForegroundSchema,
        required=True,
        metadata={"description": "The subject's box, in the pixels of the picture sent."},
    )


class RemovalEnvelopeSchema(EnvelopeSchema):
    """A success, where Accept names application/json and no image."""

    data = fields.Nested(RemovalDataSchema, required=True)
    error = Null(required=True)


class LiveSchema(Strict):
    """GET /livez."""

    status = one_of("Always this.", ["live"])


class ReadySchema(Strict):
    """GET /readyz, once ready."""

    status = one_of("Always this; what is not ready answers 503.", ["ready"])
    models = mapping("verified, absent, or what is wrong, by model.")
    subjects = mapping("The model that serves a subject, or unavailable.")
    provider = text("What computes.")


class VersionSchema(Strict):
    """GET /version."""

    name = one_of("The name of the program.", ["bgremove"])
    version = text("The release that runs.")
