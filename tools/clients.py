"""Make docs/clients from the OpenAPI document: a client a language, and a Postman collection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

ROOT = Path(__file__).resolve().parents[1]
DOCUMENT = ROOT / "docs" / "openapi.json"
CLIENTS = ROOT / "docs" / "clients"
TEMPLATES = Path(__file__).with_name("client_templates")
SERVER = "http://127.0.0.1:8000"
OPERATION, EXAMPLE, KEY = "removeBackground", "a-product-on-white", "RapidApiKey"
FORM = "multipart/form-data"
POSTMAN = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the form, with the value of the example."""

    name: str
    value: str
    choices: tuple[str, ...]
    is_file: bool


def clients(document: Json) -> dict[str, str]:
    """Return the text of every client, by its file's name."""
    environment = Environment(  # noqa: S701 -- what is made is no HTML
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    names = sorted(path.stem for path in TEMPLATES.glob("*.jinja"))
    values = _values(document)
    made = {name: environment.get_template(f"{name}.jinja").render(values) for name in names}
    collection = json.dumps(postman(document), indent=2, ensure_ascii=False)
    return made | {"postman.json": collection + "\n"}


def postman(document: Json) -> Json:
    """Return a collection: a folder a tag, a request an operation and an example of its form."""
    folders = []
    for tag in document["tags"]:
        items = [
            item
            for path, method, operation in _operations(document)
            if tag["name"] in operation["tags"]
            for item in _requests(document, path, method, operation)
        ]
        folders.append({"name": tag["name"], "description": tag["description"], "item": items})
    info = document["info"]
    return {
        "info": {"name": info["title"], "description": info["description"], "schema": POSTMAN},
        "item": folders,
        "variable": [{"key": "baseUrl", "value": SERVER}, {"key": "apiKey", "value": ""}],
    }


def _requests(document: Json, path: str, method: str, operation: Json) -> list[Json]:
    request: Json = {
        "method": method.upper(),
        "header": [],
        "description": operation.get("description", operation["summary"]),
        "url": {"raw": "{{baseUrl}}" + path, "host": ["{{baseUrl}}"], "path": path[1:].split("/")},
    }
    if "security" in operation:
        name = document["components"]["securitySchemes"][KEY]["name"]
        request["header"] = [{"key": name, "value": "{{apiKey}}"}]
    if "requestBody" not in operation:
        return [_item(operation["summary"], request)]
    examples = operation["requestBody"]["content"][FORM]["examples"].values()
    return [
        _item(example["summary"], request | {"body": _form(document, example["value"])})
        for example in examples
    ]


def _item(name: str, request: Json) -> Json:
    script = ["pm.test('status is 200', () => pm.response.to.have.status(200));"]
    test = {"listen": "test", "script": {"type": "text/javascript", "exec": script}}
    return {"name": name, "event": [test], "request": request, "response": []}


def _form(document: Json, example: Json) -> Json:
    parts = [
        {"key": field.name, "type": "file", "src": field.value}
        if field.is_file
        else {"key": field.name, "type": "text", "value": field.value}
        for field in _fields(document, example)
    ]
    return {"mode": "formdata", "formdata": parts}


def _fields(document: Json, example: Json) -> list[Field]:
    schema = document["components"]["schemas"]["RemovalForm"]
    return [
        Field(
            name,
            example[name],
            tuple(schema["properties"][name].get("enum", ())),
            schema["properties"][name].get("format") == "binary",
        )
        for name in schema["properties"]
        if name in example
    ]


def _operations(document: Json) -> list[tuple[str, str, Json]]:
    return [
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
    ]


def _values(document: Json) -> Json:
    """Return what the templates name."""
    (found,) = [row for row in _operations(document) if row[2]["operationId"] == OPERATION]
    path, method, operation = found
    example = operation["requestBody"]["content"][FORM]["examples"][EXAMPLE]["value"]
    fields = _fields(document, example)
    return {
        "title": document["info"]["title"],
        "summary": operation["summary"][0].lower() + operation["summary"][1:],
        "server": SERVER,
        "path": path,
        "method": method.upper(),
        "fields": fields,
        "file_field": next(field.name for field in fields if field.is_file),
        "key_header": document["components"]["securitySchemes"][KEY]["name"],
    }


def main() -> None:
    """Write docs/clients."""
    for name, text in clients(json.loads(DOCUMENT.read_text("utf-8"))).items():
        (CLIENTS / name).write_text(text, "utf-8")


if __name__ == "__main__":
    main()
