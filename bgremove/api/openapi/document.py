"""Put the document together: what the schemas give, and what `operations` say of the routes."""

from __future__ import annotations

import json
from typing import Any, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from bgremove import __version__
from bgremove.api.openapi import schemas
from bgremove.api.openapi.answers import failure
from bgremove.api.openapi.errors import CATALOGUE
from bgremove.api.openapi.headers import components
from bgremove.api.openapi.operations import description, health, metrics, pages, removal
from bgremove.api.openapi.security import SCHEMES
from bgremove.api.schemas import ChoiceField, PictureField, RemovalSchema
from bgremove.settings import Settings

VERSION = "3.1.1"
OPERATIONS = (removal, health, metrics, description, pages)
TAGS = {
    removal.TAG: "A picture in, its subject out.",
    health.TAG: "For whoever runs the service.",
    description.TAG: "The service about itself.",
    pages.TAG: "For people.",
}
INFO = {
    "summary": "Self-hosted background removal",
    "description": (
        "One endpoint takes a photograph and gives back its subject: on transparency, on white, as "
        "a mask, or cropped. Every answer that is not a success is one JSON envelope, whatever "
        "produced it."
    ),
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
REQUEST_ID = {
    "schema": {"type": "string"},
    "description": (
        "An id of your own for the request; taken where it is 1 to 64 letters, digits, _ and -, "
        "else a new one is made."
    ),
}


def build_document(settings: Settings) -> dict[str, Any]:
    """Return the OpenAPI document of a server with these settings: plain dicts, lists and texts."""
    plugin = MarshmallowPlugin()
    tags = [{"name": name, "description": text} for name, text in TAGS.items()]
    servers = [{"url": "/"}]
    spec = APISpec(
        "bgremove", __version__, VERSION, [plugin], info=INFO, servers=servers, tags=tags
    )
    converter: Any = plugin.converter  # made by the specification; its methods have no types
    converter.add_attribute_function(_keywords)
    for name, schema in _schemas(settings).items():
        spec.components.schema(name, schema=schema)
    for name, header in components().items():
        spec.components.header(name, header)
    for case in CATALOGUE:
        spec.components.example(case.code, {"summary": case.meaning, "value": case.example})
    spec.components.response("Failure", failure())
    for name, scheme in SCHEMES.items():
        spec.components.security_scheme(name, scheme)
    spec.components.parameter("X-Request-Id", "header", REQUEST_ID)
    for module in OPERATIONS:
        for path, operations in module.paths(settings).items():
            spec.path(path=path, operations=operations)
    return cast("dict[str, Any]", json.loads(json.dumps(spec.to_dict())))


def _schemas(settings: Settings) -> dict[str, Schema]:
    """Name the schemas; those nested in others come before them."""
    return {
        "RemovalForm": RemovalSchema(settings.max_upload_bytes),
        "Meta": schemas.MetaSchema(),
        "Detail": schemas.DetailSchema(),
        "Error": schemas.ErrorSchema(),
        "ErrorEnvelope": schemas.ErrorEnvelopeSchema(),
        "Foreground": schemas.ForegroundSchema(),
        "RemovalData": schemas.RemovalDataSchema(),
        "RemovalEnvelope": schemas.RemovalEnvelopeSchema(),
        "Live": schemas.LiveSchema(),
        "Ready": schemas.ReadySchema(),
        "Version": schemas.VersionSchema(),
    }


def _keywords(_: OpenAPIConverter, field: fields.Field[Any], **__: Any) -> dict[str, Any]:
    """Say of a field what apispec does not know of it, in JSON Schema's words."""
    match field:
        case schemas.Null():
            return {"type": "null"}
        case ChoiceField():
            return {"type": "string", "enum": [choice.value for choice in field.choices]}
        case PictureField():  # of raw bytes, OpenAPI 3.1 counts their number as the length
            most = cast("RemovalSchema", field.root).max_upload_bytes
            return {"type": "string", "format": "binary", "minLength": 1, "maxLength": most}
    return cast("dict[str, Any]", field.metadata.get("schema", {}))
