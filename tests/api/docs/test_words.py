from typing import Any

import pytest

from bgremove.api.docs.words import constraints, flattened

DOCUMENT: dict[str, Any] = {
    "components": {
        "schemas": {
            "Inner": {"type": "object", "properties": {"code": {"type": "string"}}},
            "Outer": {
                "type": "object",
                "properties": {
                    "error": {"$ref": "#/components/schemas/Inner", "description": "Why."},
                    "list": {"type": "array", "items": {"$ref": "#/components/schemas/Inner"}},
                },
            },
        }
    }
}


def test_references_are_followed_at_every_depth() -> None:
    found = flattened({"$ref": "#/components/schemas/Outer"}, DOCUMENT)
    inner = DOCUMENT["components"]["schemas"]["Inner"]
    assert found["properties"]["error"] == inner | {"description": "Why."}
    assert found["properties"]["list"]["items"] == inner


def test_what_a_part_adds_to_another_is_added() -> None:
    narrowed = {"properties": {"error": {"properties": {"code": {"enum": ["A"]}}}}}
    schema = {"allOf": [{"$ref": "#/components/schemas/Outer"}, narrowed]}
    found = flattened(schema, DOCUMENT)
    assert found["properties"]["error"]["properties"]["code"] == {"type": "string", "enum": ["A"]}
    assert "list" in found["properties"]
    assert "enum" not in str(DOCUMENT)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"type": "integer", "minimum": 1}, ["whole number", "at least 1"]),
        ({"type": "number", "maximum": 1}, ["number", "at most 1"]),
        ({"type": "string", "const": "no-store"}, ["text", "always no-store"]),
        (
            {"type": "string", "enum": ["a", "b"], "default": "a"},
            ["text", "one of a, b", "default a"],
        ),
        ({"type": "string", "minLength": 1}, ["text", "not empty"]),
        (
            {"type": "string", "format": "binary", "maxLength": 10485760},
            ["file", "at most 10,485,760 bytes"],
        ),
        ({"type": "string", "contentEncoding": "base64"}, ["base64 text"]),
        ({"type": "string", "pattern": "^a$"}, ["text", "matches ^a$"]),
        ({"type": "array", "items": {"type": "string"}}, ["array of text"]),
        ({"type": "null"}, ["null"]),
        ({}, ["any"]),
    ],
)
def test_constraints_are_said_in_words(schema: dict[str, Any], said: list[str]) -> None:
    assert constraints(schema) == said
