"""docs/openapi.json and docs/clients are what the program makes, to the letter."""

from __future__ import annotations

import json
import sys

import pytest
from openapi_spec_validator import validate

from bgremove.app import describe
from bgremove.settings import Settings
from tests.support.http import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from clients import CLIENTS, DOCUMENT, clients, postman

TEXT = describe(Settings()).text


def test_the_committed_document_is_what_the_schemas_give() -> None:
    assert DOCUMENT.read_text("utf-8") == TEXT, "run `make openapi clients`"


def test_the_committed_document_is_a_valid_one() -> None:
    validate(json.loads(DOCUMENT.read_text("utf-8")))


@pytest.mark.parametrize("name", sorted(clients(json.loads(TEXT))))
def test_a_client_is_what_the_document_gives(name: str) -> None:
    made = clients(json.loads(TEXT))[name]
    assert (CLIENTS / name).read_text("utf-8") == made, "run `make clients`"


def test_no_other_file_lies_among_the_clients() -> None:
    assert {path.name for path in CLIENTS.iterdir()} == set(clients(json.loads(TEXT)))


def test_a_client_follows_the_document() -> None:
    document = json.loads(TEXT)
    document["paths"]["/v2/cut"] = document["paths"].pop("/v1/remove-bg/universal")
    document["components"]["schemas"]["RemovalForm"]["properties"]["subject"]["enum"] = ["pet"]
    for name, text in clients(document).items():
        assert "/v2/cut" in text, name
        assert "/v1/" not in text, name
        assert "pet" in text or name == "postman.json"


def test_the_collection_has_every_operation_and_every_example() -> None:
    document = json.loads(TEXT)
    folders = {folder["name"]: folder["item"] for folder in postman(document)["item"]}
    assert set(folders) == {tag["name"] for tag in document["tags"]}
    sent = {
        (item["request"]["method"].lower(), item["request"]["url"]["raw"].partition("}}")[2])
        for items in folders.values()
        for item in items
    }
    assert sent == {(m, path) for path, item in document["paths"].items() for m in item}
    form = document["paths"]["/v1/remove-bg/universal"]["post"]["requestBody"]["content"]
    examples = form["multipart/form-data"]["examples"].values()
    assert [item["name"] for item in folders["Removal"]] == [e["summary"] for e in examples]
