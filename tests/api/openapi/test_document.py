import json
import os
import subprocess
import sys

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from bgremove import __version__
from bgremove.api.removal_description import EXAMPLES
from bgremove.app import describe
from bgremove.settings import Settings
from tests.support.http import PATH, ROOT
from tests.support.openapi import Document


@pytest.fixture(scope="module")
def document() -> Document:
    return Document(json.loads(describe(Settings()).text))


@pytest.mark.parametrize("pages", [True, False])
def test_it_is_a_valid_openapi_3_1_document(pages: bool) -> None:
    built = json.loads(describe(Settings(pages=pages)).text)
    assert built["openapi"].startswith("3.1.")
    assert built["info"]["version"] == __version__
    assert [str(error) for error in OpenAPIV31SpecValidator(built).iter_errors()] == []


def test_it_is_the_same_in_every_process() -> None:
    texts = {
        subprocess.run(
            [sys.executable, "-c", "from bgremove.cli import main; main()", "openapi"],
            cwd=ROOT,
            env=os.environ | {"PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert texts == {describe(Settings()).text}


def test_it_is_built_once() -> None:
    description = describe(Settings())
    assert description.text is description.text


def test_a_server_does_not_import_what_builds_it_before_it_is_asked() -> None:
    program = (
        "import sys, bgremove; app = bgremove.create_app()\n"
        "lazy = {'apispec', 'bgremove.api.openapi.document'}\n"
        "assert not lazy & sys.modules.keys(), lazy & sys.modules.keys()\n"
        "assert app.test_client().get('/openapi.json').status_code == 200\n"
        "assert lazy <= sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, timeout=120)


def test_every_operation_has_a_name_of_its_own_a_tag_and_a_summary(document: Document) -> None:
    operations = [operation for *_, operation in document.operations()]
    names = [operation["operationId"] for operation in operations]
    assert len(set(names)) == len(names)
    tags = {tag["name"] for tag in document.json["tags"]}
    assert all(set(operation["tags"]) <= tags for operation in operations)
    assert all(operation["summary"] for operation in operations)


def test_a_key_may_be_sent_in_any_of_four_ways_or_not_at_all(document: Document) -> None:
    schemes = document.json["components"]["securitySchemes"]
    ways = [scheme.get("name", scheme.get("scheme")) for scheme in schemes.values()]
    assert ways == ["X-Api-Key", "bearer", "X-RapidAPI-Key", "X-RapidAPI-Proxy-Secret"]
    asked = document.json["paths"][PATH]["post"]["security"]
    assert asked == [{}, *({name: []} for name in schemes)]


def test_the_examples_of_the_form_are_what_its_schema_wants(document: Document) -> None:
    schema = document.json["components"]["schemas"]["RemovalForm"]
    for example in EXAMPLES.values():
        assert document.faults(schema, example) == []
    assert document.faults(schema, {"image": "x", "subject": "car"}) != []
    assert document.faults(schema, {"image": "x", "size": "auto"}) != []
    assert document.faults(schema, {"subject": "human"}) != []
