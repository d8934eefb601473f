"""The document and the application say the same: all of one is in the other, and both ways."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from werkzeug.exceptions import TooManyRequests

from bgremove import create_app
from bgremove.api.form import RemovalFormSchema
from bgremove.api.openapi.components import CATALOGUE, HEADERS
from bgremove.api.removal_description import EXAMPLES
from bgremove.api.services import NAME, services_of
from bgremove.datatypes import WarningCode
from bgremove.errors import ErrorCode
from bgremove.serving.places import Places
from bgremove.settings import Settings
from tests.support.http import (
    FORM_TYPE,
    PATH,
    ROOT,
    Answer,
    Door,
    FlaskDoor,
    error_of,
    file,
    form,
    post,
    text,
)
from tests.support.openapi import Document
from tests.support.tiny import ball, encoded

GETS = ["/livez", "/readyz", "/version"]


@pytest.fixture(scope="module")
def document(flask_door: FlaskDoor) -> Document:
    return Document(flask_door.send("GET", "/openapi.json").json())


@pytest.fixture
def fresh(tiny: Path) -> Iterator[Flask]:
    """Give an application whose parts a test may take away."""
    app = create_app(Settings(weights_dir=tiny, strict_models=True))
    engine = services_of(app).engine
    yield app
    engine.decoders.close()


def routes(app: Flask) -> set[tuple[str, str]]:
    return {
        (re.sub(r"<(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }


@pytest.mark.parametrize("pages", [True, False])
def test_what_a_client_needs_is_described_and_nothing_else(tiny: Path, pages: bool) -> None:
    app = create_app(Settings(weights_dir=tiny, pages=pages, metrics=pages))
    document = Document(FlaskDoor(app).send("GET", "/openapi.json").json())
    described = {(path, method) for path, method, _ in document.operations()}
    assert described == {(PATH, "post")} | {(path, "get") for path in GETS}
    others = {"/", "/docs", "/docs/files/{name}", "/metrics", "/pages/{release_hash}/{name}"}
    left_out = {path for path, _ in routes(app) - described}
    assert left_out == {"/openapi.json"} | (others if pages else set())


def test_every_field_of_the_form_is_described_with_its_limits(document: Document) -> None:
    schema = document.json["components"]["schemas"]["RemovalForm"]
    form_schema = RemovalFormSchema(Settings().max_upload_bytes)
    assert schema["properties"].keys() == form_schema.fields.keys()
    required = [name for name, field in form_schema.fields.items() if field.required]
    assert schema["required"] == required
    assert schema["additionalProperties"] is False
    assert schema["properties"]["image"]["maxLength"] == Settings().max_upload_bytes


def test_a_server_says_its_own_limits(tiny: Path) -> None:
    settings = Settings(weights_dir=tiny, max_upload_bytes=3 << 20, max_pixels=12_345_678)
    said = FlaskDoor(create_app(settings)).send("GET", "/openapi.json").json()
    image = said["components"]["schemas"]["RemovalForm"]["properties"]["image"]
    assert image["maxLength"] == 3 << 20
    assert "3 MiB, 12,345,678 pixels" in said["paths"][PATH]["post"]["description"]


def test_every_code_is_described(document: Document) -> None:
    assert sorted(case.code for case in CATALOGUE) == sorted(ErrorCode)
    error = document.json["components"]["schemas"]["Error"]
    assert set(error["properties"]["code"]["enum"]) == set(ErrorCode)
    assert document.json["components"]["examples"].keys() == set(ErrorCode)


def test_every_described_code_is_one_that_some_operation_gives(document: Document) -> None:
    given: set[str] = set()
    for *_, answer in document.answers():
        body = answer["content"].get("application/json", {})
        given |= {
            example["$ref"].rpartition("/")[2] for example in body.get("examples", {}).values()
        }
    assert given == {case.code for case in CATALOGUE}


def test_the_warnings_are_those_of_the_documentation() -> None:
    page = (ROOT / "docs" / "http.md").read_text("utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith("| `X-Warnings`")]
    assert set(row.split("`")[3::2]) == set(WarningCode)


def test_every_example_of_an_answer_is_what_its_schema_wants(document: Document) -> None:
    checked = 0
    for *_, answer in document.answers():
        for media in answer["content"].values():
            examples = [document.follow(given) for given in media.get("examples", {}).values()]
            values = [example["value"] for example in examples]
            values += [media["example"]] if "example" in media else []
            for value in values:
                assert document.faults(media["schema"], value) == []
                checked += 1
    assert checked > 20


def examples() -> list[Any]:
    return [pytest.param(value, id=name) for name, value in EXAMPLES.items()]


@pytest.mark.parametrize("example", examples())
def test_every_example_of_a_form_gets_a_picture(
    door: Door, document: Document, picture: bytes, example: dict[str, str]
) -> None:
    sent = document.json["paths"][PATH]["post"]["requestBody"]["content"]["multipart/form-data"]
    assert example in [given["value"] for given in sent["examples"].values()]
    words = {name: value for name, value in example.items() if name != "image"}
    parts = [file("image", picture), *[text(name, value) for name, value in words.items()]]
    answer = post(door, form(*parts))
    assert answer.status == 200
    document.check("POST", PATH, answer)


@pytest.mark.parametrize("accept", ["*/*", "image/png", "application/json", "image/jpeg"])
@pytest.mark.parametrize("output_format", ["transparent", "white_bg", "mask", "crop"])
def test_every_success_is_what_the_document_says(
    door: Door, document: Document, picture: bytes, output_format: str, accept: str
) -> None:
    parts = [file("image", picture), text("output_format", output_format), text("subject", "human")]
    answer = post(door, form(*parts), Accept=accept)
    assert answer.status == 200
    assert answer.headers["x-warnings"] == "model-fallback"
    document.check("POST", PATH, answer)


@pytest.mark.parametrize("path", GETS)
def test_every_get_is_what_the_document_says(door: Door, document: Document, path: str) -> None:
    answer = door.send("GET", path)
    assert answer.status == 200
    document.check("GET", path, answer)


def configurations(tiny: Path, folder: Path) -> Iterator[Settings]:
    """Yield settings of each kind that changes which routes there are or what they answer."""
    keys, secrets = folder / "keys", folder / "secrets"
    keys.write_text("# none\n", encoding="utf-8")
    secrets.write_text("a-secret-of-the-gateway\n", encoding="utf-8")
    plain = Settings(weights_dir=tiny)
    yield plain
    yield replace(plain, pages=False, metrics=False)
    yield replace(plain, api_keys_file=str(keys))
    yield replace(plain, rapidapi_proxy_secret_file=str(secrets))
    yield replace(plain, rapidapi_proxy_secret=secrets.read_text().strip())
    yield replace(plain, strict_models=True, precision="float32")


def test_every_route_in_every_configuration_is_what_its_document_says(
    tiny: Path, tmp_path: Path
) -> None:
    for settings in configurations(tiny, tmp_path):
        app = create_app(settings)
        parts, door = services_of(app), FlaskDoor(app)
        document = Document(door.send("GET", "/openapi.json").json())
        for is_warm in (False, True):
            if is_warm:
                parts.warm_up.run()
            for path, method, _ in document.operations():
                sent = form(file("image", encoded(ball()))) if method == "post" else b""
                kind = {"Content-Type": FORM_TYPE} if sent else {}
                answer = door.send(method.upper(), path, sent, kind)
                document.check(method, path, answer)
        parts.engine.close()


def test_what_any_operation_can_meet_is_what_the_document_says(
    door: Door, document: Document
) -> None:
    not_found, not_allowed = door.send("GET", "/nowhere"), door.send("PUT", PATH)
    assert (not_found.status, not_allowed.status) == (404, 405)
    document.check("GET", "/livez", not_found)
    document.check("POST", PATH, not_allowed)


def test_both_kinds_of_400_are_what_the_document_says(door: Door, document: Document) -> None:
    black = encoded(np.zeros((40, 40, 3), np.uint8))
    nothing = post(door, form(file("image", black), text("subject", "human")))
    assert nothing.json()["error"]["code"] == "NO_SUBJECT_DETECTED"
    wrong = post(door, form(text("subject", "car"), text("size", "1")))
    assert wrong.json()["error"]["code"] == "VALIDATION_ERROR"
    for answer in (nothing, wrong):
        document.check("POST", PATH, answer)


def test_what_gunicorn_refuses_is_what_the_document_says(server: Any, document: Document) -> None:
    (answer,) = server.door.exchange(b"GET /livez HTTP/1.1\r\nA: " + b"b" * 9000 + b"\r\n\r\n")
    assert answer.status == 431
    document.check("GET", "/livez", answer)


def failures(app: Flask) -> Iterator[tuple[str, str, int, str, Answer]]:
    """Yield one of each failure that needs a broken server, with what it should be."""
    door = FlaskDoor(app)
    body = form(file("image", encoded(ball())))
    human = form(file("image", encoded(ball())), text("subject", "human"))
    yield "GET", "/readyz", 503, "NOT_READY", door.send("GET", "/readyz")
    yield "POST", PATH, 502, "UPSTREAM_ERROR", post(door, human)
    whole = services_of(app)
    app.extensions[NAME] = replace(whole, places=Places(0, 0))
    yield "POST", PATH, 503, "OVERLOADED", post(door, body)
    app.extensions[NAME] = replace(whole, places=None)
    yield "POST", PATH, 500, "INTERNAL_ERROR", post(door, body)
    limited = app.view_functions["removals.remove"]
    app.view_functions["removals.remove"] = _refuse
    yield "POST", PATH, 429, "RATE_LIMITED", post(door, body)
    app.view_functions["removals.remove"] = limited


@pytest.fixture
def locked(tiny: Path, tmp_path: Path) -> FlaskDoor:
    """Give an application that has keys, and lets nobody in."""
    (tmp_path / "keys").write_text("# none yet\n", encoding="utf-8")
    return FlaskDoor(create_app(Settings(weights_dir=tiny, api_keys_file=str(tmp_path / "keys"))))


def test_a_request_without_a_key_is_what_the_document_says(
    locked: FlaskDoor, document: Document
) -> None:
    answer = post(locked, form(file("image", encoded(ball()))))
    error_of(answer, 401, "UNAUTHORIZED")
    document.check("POST", PATH, answer)


def _refuse() -> None:
    raise TooManyRequests(retry_after=3)


def test_every_failure_of_the_server_is_what_the_document_says(
    fresh: Flask, document: Document
) -> None:
    for method, path, status, code, answer in failures(fresh):
        error_of(answer, status, code)
        document.check(method, path, answer)


def test_every_described_header_is_one_that_is_sent(
    fresh: Flask, flask_door: FlaskDoor, locked: FlaskDoor
) -> None:
    human = form(file("image", encoded(ball())), text("subject", "human"))
    answers = [answer for *_, answer in failures(fresh)]
    answers += [post(flask_door, human)]
    answers += [flask_door.send("PUT", PATH, human, {"Content-Type": FORM_TYPE})]
    answers += [post(locked, human)]
    sent = {name for answer in answers for name in answer.headers}
    assert {name.lower() for name in HEADERS} <= sent


def test_every_described_header_is_used_by_some_answer(document: Document) -> None:
    used = {name for *_, answer in document.answers() for name in answer["headers"]}
    assert used == HEADERS.keys()


def test_the_check_of_answers_bites(flask_door: FlaskDoor, document: Document) -> None:
    good = flask_door.send("GET", "/livez")
    more = dict(good.headers) | {"x-new": "1"}
    fewer = {name: value for name, value in good.headers.items() if name != "x-request-id"}
    other = json.dumps({"status": "dead"}).encode()
    for bad in (
        Answer(200, more, good.body),
        Answer(200, fewer, good.body),
        Answer(200, dict(good.headers) | {"cache-control": "public"}, good.body),
        Answer(200, good.headers, other),
        Answer(503, good.headers, good.body),
    ):
        with pytest.raises(AssertionError):
            document.check("GET", "/livez", bad)
