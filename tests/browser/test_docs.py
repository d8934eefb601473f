"""The page at /docs in a browser shows the whole document, and can send a picture."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.conftest import Open
from tests.browser.hands import drawn
from tests.support.http import ROOT, Server


@pytest.fixture
def docs(opened: Open, server: Server) -> Iterator[Any]:
    with opened(server, "/docs") as page:
        yield page


def test_every_operation_is_on_the_page(docs: Page) -> None:
    document = json.loads((ROOT / "docs" / "openapi.json").read_text("utf-8"))
    expect(docs.locator(".opblock")).to_have_count(sum(map(len, document["paths"].values())))
    for path in document["paths"]:
        expect(docs.locator(f'.opblock-summary-path[data-path="{path}"]')).to_be_visible()


def test_a_picture_can_be_sent_and_its_answer_is_shown(docs: Page) -> None:
    block = docs.locator(".opblock-post").first
    block.locator(".opblock-summary-control").click()
    block.locator("input[type=file]").set_input_files(drawn())
    block.get_by_role("button", name="Execute").click()
    expect(block.locator(".live-responses-table .response-col_status").last).to_contain_text("200")
    expect(block.locator(".live-responses-table img")).to_be_visible()


def test_the_examples_have_the_address_of_this_server(docs: Page, server: Server) -> None:
    expect(docs.locator("#curl")).to_contain_text(f"http://127.0.0.1:{server.port}/v1/remove-bg")
    docs.get_by_role("tab", name="curl").press("ArrowRight")
    expect(docs.get_by_role("tab", name="Python")).to_be_focused()
    expect(docs.locator("#python")).to_be_visible()
    expect(docs.locator("#curl")).to_be_hidden()
    docs.get_by_role("button", name="Copy", exact=True).click()
    expect(docs.locator("#copy-sample")).to_have_text("Copied")
    assert docs.evaluate("navigator.clipboard.readText()").startswith("import requests")


def test_the_pages_lead_to_each_other(docs: Page) -> None:
    docs.get_by_role("link", name="Cut out").click()
    expect(docs.get_by_role("heading", name="Remove a background")).to_be_visible()
    docs.get_by_role("link", name="API", exact=True).click()
    expect(docs.get_by_role("heading", name="HTTP API")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_width(opened: Open, server: Server, scheme: str) -> None:
    with opened(server, "/docs", color_scheme=scheme) as page:
        page.locator(".opblock-post .opblock-summary-control").click()
        expect(page.locator(".opblock-post input[type=file]")).to_be_visible()
        for width in (1280, 820, 360):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        dark = "document.documentElement.classList.contains('dark-mode')"
        assert page.evaluate(dark) is (scheme == "dark")
