"""Swagger UI is served from this machine alone, under a policy that lets nothing else run."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bgremove import create_app
from bgremove.api.description import FILES, OWN
from bgremove.api.services import services_of
from bgremove.settings import Settings
from tests.support.http import FlaskDoor, error_of

ELSEWHERE = re.compile(r"(?:https?:)?//[\w-]+\.[\w.-]+")


@pytest.mark.parametrize("path", ["/docs", *(f"/docs/files/{name}" for name in FILES)])
def test_every_answer_is_hardened(door: FlaskDoor, path: str) -> None:
    answer = door.send("GET", path)
    assert answer.status == 200
    rules = answer.headers["content-security-policy"].split("; ")
    policy = dict(rule.partition(" ")[::2] for rule in rules)
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == "'self'"
    assert policy["form-action"] == policy["base-uri"] == policy["frame-ancestors"] == "'none'"
    assert "unsafe" not in str(policy)
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_the_page_names_files_of_this_server_alone(door: FlaskDoor) -> None:
    text = door.send("GET", "/docs").body.decode()
    links = re.findall(r'(?:href|src)="([^"]+)"', text)
    assert {link for link in links if not link.startswith("data:")} == {
        "./",
        "openapi.json",
        *(f"docs/files/{name}" for name in FILES),
    }
    own = "".join(path.read_text("utf-8") for path in OWN.iterdir())
    assert ELSEWHERE.findall(own) == []


@pytest.mark.parametrize("name", ["docs.html", "nothing.js", "../description.py", "swagger-ui.js"])
def test_another_file_is_a_404(door: FlaskDoor, name: str) -> None:
    error_of(door.send("GET", f"/docs/files/{name}"), 404, "NOT_FOUND")


def test_a_browser_asks_again_by_the_etag(door: FlaskDoor) -> None:
    path = "/docs/files/swagger-ui-bundle.js"
    tag = door.send("GET", path).headers["etag"]
    again = door.send("GET", path, headers={"If-None-Match": tag})
    assert (again.status, again.body) == (304, b"")


def test_without_pages_there_is_none_but_the_document_stays(settings: Settings) -> None:
    app = create_app(replace(settings, pages=False))
    door = FlaskDoor(app)
    assert door.send("GET", "/docs").status == 404
    assert door.send("GET", "/openapi.json").status == 200
    services_of(app).engine.close()
