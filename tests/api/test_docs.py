"""The page /docs is served from this machine alone, under a policy that lets nothing else run."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from bgremove import create_app
from bgremove.api.pages import LINKS, SWAGGER_FILES, release
from bgremove.api.services import services_of
from bgremove.settings import Settings
from tests.support.http import FlaskDoor, error_of


@pytest.mark.parametrize("path", ["/docs", *(f"/docs/files/{name}" for name in SWAGGER_FILES)])
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
    links = set(re.findall(r'(?:href|src)="([^"#]+)"', text))
    own = {f"pages/{release().hash}/{name}" for name in ("base.css", "docs.css", "docs.js")}
    swagger = {f"docs/files/{name}" for name in SWAGGER_FILES}
    assert links >= own | swagger | {f".{path}" for path in LINKS}
    for link in links:
        assert door.send("GET", f"/{link.removeprefix('./')}").status == 200, link


def test_the_page_itself_is_asked_for_each_time(door: FlaskDoor) -> None:
    answer = door.send("GET", "/docs")
    assert answer.headers["cache-control"] == "no-cache"
    again = door.send("GET", "/docs", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status, again.body) == (304, b"")


@pytest.mark.parametrize("name", ["docs.html", "nothing.js", "../docs.py", "swagger-ui.js"])
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
