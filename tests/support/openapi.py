"""Check real answers against the OpenAPI document, by JSON Schema 2020-12."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

from tests.support.http import Answer

BASE = "urn:document"
# Headers of HTTP itself and of the server, not of the API.
TRANSPORT = frozenset({"connection", "content-length", "content-type", "date", "server"})
METHODS = frozenset({"get", "put", "post", "delete", "patch", "head", "options", "trace"})
MAGIC = {
    "image/png": b"\x89PNG\r\n\x1a\n",
    "image/jpeg": b"\xff\xd8\xff",
    "image/webp": b"RIFF",
}


@dataclass(frozen=True)
class Document:
    """An OpenAPI document."""

    json: dict[str, Any]

    def follow(self, value: dict[str, Any]) -> dict[str, Any]:
        """Return a value, with its reference resolved."""
        while "$ref" in value:
            found: Any = self.json
            for name in value["$ref"].removeprefix("#/").split("/"):
                found = found[name]
            value = found
        return value

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Yield the path, method and operation of each operation."""
        for path, item in self.json["paths"].items():
            for method in METHODS & item.keys():
                yield path, method, item[method]

    def answers(self) -> Iterator[tuple[str, str, str, dict[str, Any]]]:
        """Yield the path, method, status and description of each answer."""
        for path, method, operation in self.operations():
            for status, answer in operation["responses"].items():
                yield path, method, status, self.follow(answer)

    def faults(self, schema: Mapping[str, Any], value: Any) -> list[str]:
        """Return the errors of a value under a schema of the document."""
        # References within the document need its base URI; other schemas stay unchanged.
        text = json.dumps(schema).replace('"$ref": "#/', f'"$ref": "{BASE}#/')
        whole = DRAFT202012.create_resource(self.json)
        registry: Registry[Any] = Registry().with_resource(BASE, whole)
        checker = Draft202012Validator.FORMAT_CHECKER
        validator = Draft202012Validator(
            json.loads(text), registry=registry, format_checker=checker
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    def described(self, method: str, path: str, status: int) -> dict[str, Any]:
        """Return an operation's description of a status."""
        responses = self.json["paths"][path][method.lower()]["responses"]
        return self.follow(responses.get(str(status)) or responses["default"])

    def check(self, method: str, path: str, answer: Answer) -> None:
        """Check that an answer exactly matches its operation."""
        wanted = self.described(method, path, answer.status)
        assert self._header_faults(wanted["headers"], answer.headers) == []
        kind = answer.headers["content-type"].partition(";")[0]
        assert kind in wanted["content"], (kind, answer)
        schema = wanted["content"][kind]["schema"]
        if kind in MAGIC:
            assert schema["format"] == "binary"
            assert answer.body.startswith(MAGIC[kind])
        elif kind == "application/json":
            assert self.faults(schema, json.loads(answer.body)) == []
        else:
            assert self.faults(schema, answer.body.decode()) == []

    def _header_faults(self, named: dict[str, Any], sent: Mapping[str, str]) -> list[str]:
        wanted = {name.lower(): self.follow(header) for name, header in named.items()}
        faults = [f"{name}: not described" for name in sent.keys() - wanted.keys() - TRANSPORT]
        for name, header in wanted.items():
            if name in sent:
                value = typed(header["schema"]["type"], sent[name])
                faults += [f"{name}: {fault}" for fault in self.faults(header["schema"], value)]
            elif header.get("required"):
                faults.append(f"{name}: absent")
        return faults


def typed(kind: str, text: str) -> Any:
    """Convert a header's text to the type of its schema; return the text if that fails."""
    try:
        return {"integer": int, "number": float}.get(kind, str)(text)
    except ValueError:
        return text
