"""The OpenAPI document, built from the schemas and the descriptions of the views."""

from __future__ import annotations

import json
import re
from typing import Any, cast

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Flask
from marshmallow import Schema, fields

from bgremove import __version__
from bgremove.api import health, removal_description, schemas
from bgremove.api.form import ChoiceField, PictureField, RemovalFormSchema
from bgremove.api.openapi.components import CATALOGUE, SCHEMES, components
from bgremove.api.openapi.operation import failure, name_of, operation_of
from bgremove.headers import Header
from bgremove.settings import Settings

VERSION = "3.1.1"
TAGS = {
    removal_description.TAG: "A picture in, its subject out.",
    health.TAG: "Whether the server is ready, and which release it is.",
}
INFO = {
    "summary": "Self-hosted background removal",
    "description": (
        "One endpoint takes a photograph and returns its subject: on transparency, on a colour, "
        "as a mask, or cropped. Every error has the same JSON shape, whichever part of the "
        "server sends it."
    ),
    "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
}
REQUEST_ID = {
    "schema": {"type": "string"},
    "description": (
        "Your own id for the request: 1 to 64 letters, digits, `_` and `-`. The server replaces "
        "any other value by a new id."
    ),
}


def build_document(app: Flask, settings: Settings) -> dict[str, Any]:
    """Return the OpenAPI document of an application: plain dicts, lists and texts.

    Each view describes its route, or is marked as not part of the API.

    Raises:
        AttributeError: A view has neither a description nor the mark.

    """
    plugin = MarshmallowPlugin()
    tags = [{"name": name, "description": text} for name, text in TAGS.items()]
    servers = [{"url": "/"}]
    spec = APISpec(
        "bgremove", __version__, VERSION, [plugin], info=INFO, servers=servers, tags=tags
    )
    converter: Any = plugin.converter  # APISpec sets it; its methods have no types
    converter.add_attribute_function(_keywords)
    for schema in _schemas(settings):
        spec.components.schema(name_of(type(schema)), schema=schema)
    for name, header in components().items():
        spec.components.header(name, header)
    for case in CATALOGUE:
        spec.components.example(case.code, {"summary": case.meaning, "value": case.example})
    spec.components.response("Failure", failure())
    for name, scheme in SCHEMES.items():
        spec.components.security_scheme(name, scheme)
    spec.components.parameter(Header.REQUEST_ID, "header", REQUEST_ID)
    for rule in app.url_map.iter_rules():
        path, view = re.sub(r"<(\w+)>", r"{\1}", rule.rule), app.view_functions[rule.endpoint]
        operation = operation_of(view)
        if operation is not None:
            methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
            about = operation.as_openapi(settings)
            spec.path(path=path, operations={method.lower(): about for method in methods})
    return cast("dict[str, Any]", json.loads(json.dumps(spec.to_dict())))


def _schemas(settings: Settings) -> list[Schema]:
    """Return the schemas; nested schemas come before the schemas that use them."""
    return [
        RemovalFormSchema(settings.max_upload_bytes),
        schemas.MetaSchema(),
        schemas.DetailSchema(),
        schemas.ErrorSchema(),
        schemas.ErrorEnvelopeSchema(),
        schemas.ForegroundSchema(),
        schemas.RemovalDataSchema(),
        schemas.RemovalEnvelopeSchema(),
        schemas.LiveSchema(),
        schemas.ReadySchema(),
        schemas.VersionSchema(),
    ]


def _keywords(_: OpenAPIConverter, field: fields.Field[Any], **__: Any) -> dict[str, Any]:
    """Return the JSON Schema keywords of a field that apispec cannot derive."""
    match field:
        case schemas.Null():
            return {"type": "null"}
        case ChoiceField():
            return {"type": "string", "enum": [choice.value for choice in field.choices]}
        case PictureField():  # in OpenAPI 3.1, the length of raw bytes is their number
            most = cast("RemovalFormSchema", field.root).max_upload_bytes
            return {"type": "string", "format": "binary", "minLength": 1, "maxLength": most}
    return cast("dict[str, Any]", field.metadata.get("schema", {}))
