"""docs/openapi.json is what the program prints, and docs/clients follow it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openapi_spec_validator import validate

from bgremove.app import describe
from bgremove.settings import Settings
from tests.support.http import PATH, ROOT

DOCUMENT, CLIENTS = ROOT / "docs" / "openapi.json", ROOT / "docs" / "clients"
FILES = {
    "client.mjs",
    "client.php",
    "client.py",
    "curl.sh",
    "postman.json",
    "openapi-python-client.yaml",
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.read_text("utf-8"))
    return found


def test_the_committed_document_is_what_the_program_prints() -> None:
    assert DOCUMENT.read_text("utf-8") == describe(Settings()).text, "run `make openapi`"


def test_the_committed_document_is_a_valid_one(document: dict[str, Any]) -> None:
    validate(document)


def test_no_other_file_lies_among_the_clients() -> None:
    assert {path.name for path in CLIENTS.iterdir() if path.is_file()} == FILES


@pytest.mark.parametrize("name", sorted(FILES - {"postman.json", "openapi-python-client.yaml"}))
def test_a_client_names_the_path_and_every_value_of_the_form(
    document: dict[str, Any], name: str
) -> None:
    text = (CLIENTS / name).read_text("utf-8")
    assert PATH in text
    for field in document["components"]["schemas"]["RemovalForm"]["properties"].values():
        assert all(value in text for value in field.get("enum", ()))


def test_the_collection_has_every_operation_and_every_example(document: dict[str, Any]) -> None:
    collection = json.loads((CLIENTS / "postman.json").read_text("utf-8"))
    folders = {folder["name"]: folder["item"] for folder in collection["item"]}
    assert set(folders) == {tag["name"] for tag in document["tags"]}
    sent = {
        (item["request"]["method"].lower(), item["request"]["url"]["raw"].partition("}}")[2])
        for items in folders.values()
        for item in items
    }
    assert sent == {(m, path) for path, item in document["paths"].items() for m in item}
    form = document["paths"][PATH]["post"]["requestBody"]["content"]["multipart/form-data"]
    summaries = [example["summary"] for example in form["examples"].values()]
    assert [item["name"] for item in folders["Removal"]] == summaries
