"""The page at /docs in a browser shows the whole document, and can send a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.hands import astronaut
from tests.support.http import ROOT, Server


@pytest.fixture
def docs(opened: Open, server: Server) -> Iterator[Any]:
    with opened(server) as page:
        page.goto(f"http://127.0.0.1:{server.port}/docs")
        yield page


def test_every_operation_is_on_the_page(docs: Page) -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
    expect(docs.locator(".opblock")).to_have_count(sum(map(len, document["paths"].values())))
    for path in document["paths"]:
        expect(docs.locator(f'.opblock-summary-path[data-path="{path}"]')).to_be_visible()


def test_a_picture_can_be_sent_and_its_answer_is_shown(docs: Page) -> None:
    block = docs.locator(".opblock-post").first
    block.locator(".opblock-summary-control").click()
    block.locator("input[type=file]").set_input_files(astronaut())
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(block.locator(".live-responses-table img")).to_be_visible()
