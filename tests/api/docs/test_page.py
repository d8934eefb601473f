"""The page shows all of the document, loads nothing, and lets nothing but its own script run."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest

from bgremove import create_app
from bgremove.api.docs.page import Page, build_page
from bgremove.app import describe
from bgremove.settings import Settings
from tests.support.http import FlaskDoor
from tests.support.openapi import Document

VOID = {"meta", "link", "input"}


class Reader(HTMLParser):
    """Collects the tags, the texts, and whatever is not closed in order."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.content: dict[str, str] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)
        if self.open and self.open[-1] in ("script", "style"):
            self.content[self.open[-1]] = data


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return json.loads(describe(Settings()).text)


@pytest.fixture(scope="module")
def page(document: dict[str, Any]) -> Page:
    return build_page(document)


@pytest.fixture(scope="module")
def reader(page: Page) -> Reader:
    return Reader(page.html)


def test_every_tag_is_closed_and_every_id_is_there_once(reader: Reader) -> None:
    assert reader.open == []
    ids = Counter(attributes["id"] for _, attributes in reader.tags if "id" in attributes)
    assert set(ids.values()) == {1}


def test_the_policy_names_the_script_and_style_that_are_in_the_page(
    page: Page, reader: Reader
) -> None:
    for tag in ("script", "style"):
        digest = hashlib.sha256(reader.content[tag].encode()).digest()
        assert f"{tag}-src 'sha256-{base64.b64encode(digest).decode()}'" in page.policy
        assert [name for name, _ in reader.tags].count(tag) == 1
    assert page.policy.startswith("default-src 'none'; ")
    assert "unsafe" not in page.policy
    assert "http" not in page.policy


def test_the_page_loads_nothing_and_carries_no_handler(reader: Reader) -> None:
    for tag, attributes in reader.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes), tag
        assert "src" not in attributes
        for name in ("href", "action", "data"):
            link = attributes.get(name) or ""
            assert re.fullmatch(r"#[\w-]+|openapi\.json|data:,|", link), link
    assert not re.search(r"@import|url\(", reader.content["style"])
    assert not re.search(r"innerHTML|eval\(|document\.write|Function\(", reader.content["script"])


def test_every_field_has_a_label_and_every_link_a_target(reader: Reader) -> None:
    ids = {attributes.get("id") for _, attributes in reader.tags}
    labels = {attributes["for"] for tag, attributes in reader.tags if tag == "label"}
    controls = {a["id"] for tag, a in reader.tags if tag in ("input", "select")}
    assert controls == labels
    for _, attributes in reader.tags:
        link = attributes.get("href") or ""
        assert not link.startswith("#") or link[1:] in ids
        for name in ("aria-labelledby", "aria-describedby"):
            assert name not in attributes or attributes[name] in ids


def test_headings_leave_out_no_level(reader: Reader) -> None:
    levels = [int(tag[1]) for tag, _ in reader.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))


def test_everything_of_the_document_is_on_the_page(
    document: dict[str, Any], reader: Reader
) -> None:
    shown = "".join(reader.texts)
    whole = Document(document)
    for path, method, operation in whole.operations():
        assert f"{method.upper()} {path}" in " ".join(shown.split())
        assert operation["summary"] in shown
    for *_, status, answer in whole.answers():
        assert status == "default" or status in shown
        assert answer["description"] in shown
        for name, header in answer["headers"].items():
            assert name in shown
            assert whole.follow(header)["description"] in shown
    for case in document["components"]["examples"].values():
        assert case["value"]["error"]["message"] in shown
    for scheme in document["components"]["securitySchemes"].values():
        assert scheme.get("name", "Bearer") in shown


def test_a_form_has_the_fields_of_the_document(document: dict[str, Any], reader: Reader) -> None:
    names = [a["name"] for tag, a in reader.tags if tag in ("input", "select") and "name" in a]
    properties = document["components"]["schemas"]["RemovalForm"]["properties"]
    assert names[: len(properties)] == list(properties)
    forms = [a for tag, a in reader.tags if tag == "form" and "data-path" in a]
    assert {a["data-path"] for a in forms} == set(document["paths"])


def test_what_the_document_says_is_text_and_never_markup(document: dict[str, Any]) -> None:
    info = document["info"] | {"description": "<script>alert(1)</script>"}
    html = build_page(document | {"info": info}).html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_the_page_is_served_with_its_policy(door: FlaskDoor, settings: Settings) -> None:
    answer = door.send("GET", "/docs")
    page = describe(settings).page
    assert answer.body.decode() == page.html
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-security-policy"] == page.policy
    assert answer.headers["referrer-policy"] == "no-referrer"


def test_without_pages_there_is_none_but_the_document_stays(settings: Settings) -> None:
    door = FlaskDoor(create_app(replace(settings, pages=False)))
    assert door.send("GET", "/docs").status == 404
    assert door.send("GET", "/openapi.json").status == 200
