"""What a JSON schema says, in words; and a schema without references."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]


def flattened(schema: Schema, document: Schema) -> Schema:
    """Return a schema with its references followed and the parts of its ``allOf`` made one.

    What a part says of a property is added to what those before it say. The document's schemas do
    not refer to themselves.
    """
    merged: Schema = {}
    if "$ref" in schema:
        merged = flattened(resolved(schema["$ref"], document), document)
    for part in schema.get("allOf", []):
        merged = _merged(merged, flattened(part, document))
    own = {key: value for key, value in schema.items() if key not in ("$ref", "allOf")}
    if "items" in own:
        own["items"] = flattened(own["items"], document)
    if "properties" in own:
        own["properties"] = {
            name: flattened(part, document) for name, part in own["properties"].items()
        }
    return _merged(merged, own)


def resolved(reference: str, document: Schema) -> Schema:
    """Follow a reference within the document."""
    found = document
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def constraints(schema: Schema) -> list[str]:
    """Say what a value has to be, a few words each, its type first."""
    said = [_type(schema)]
    said += [f"one of {', '.join(map(str, schema['enum']))}"] if "enum" in schema else []
    said += [f"always {schema['const']}"] if "const" in schema else []
    said += ["not empty"] if schema.get("minLength") == 1 else []
    unit = "bytes" if schema.get("format") == "binary" else "characters"
    for key, words in (
        ("minimum", "at least {}"),
        ("maximum", "at most {}"),
        ("maxLength", f"at most {{:,}} {unit}"),
        ("pattern", "matches {}"),
        ("default", "default {}"),
    ):
        said += [words.format(schema[key])] if key in schema else []
    return said


def _type(schema: Schema) -> str:
    if schema.get("format") == "binary":
        return "file"
    if schema.get("contentEncoding"):
        return f"{schema['contentEncoding']} text"
    if schema.get("type") == "array":
        items = ", ".join(constraints(schema["items"]))
        return f"array of {items}"
    kind: str = schema.get("type", "any")
    return {"string": "text", "integer": "whole number"}.get(kind, kind)


def _merged(first: Schema, second: Schema) -> Schema:
    both = first | second
    for key in first.keys() & second.keys():
        if isinstance(first[key], dict) and isinstance(second[key], dict):
            both[key] = _merged(first[key], second[key])
    return both
