"""The page works in a browser that blocks storage and cookies."""

from __future__ import annotations

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from tests.browser.hands import choose, done, drawn

BLOCKED = """for (const name of ["sessionStorage", "localStorage"]) {
  Object.defineProperty(window, name, {
    get() { throw new DOMException("Access is denied for this document.", "SecurityError"); },
  });
}"""


def test_where_storage_is_blocked_a_key_is_kept_by_the_page_alone(page: Page) -> None:
    page.add_init_script(BLOCKED)
    page.reload()
    choose(page, drawn())
    done(page)
    page.evaluate("document.getElementById('key-open').hidden = false")
    page.get_by_role("button", name="API key").click()
    expect(page.get_by_label("Keep it until this tab is closed")).to_be_disabled()
    page.get_by_label("API key").fill("k-typed")
    page.get_by_role("button", name="Use this key").click()
    expect(page.get_by_role("dialog")).to_be_hidden()
    choose(page, drawn("again.jpg"))
    done(page, 2)
    expect(page.locator("#curl")).to_contain_text('-H "X-Api-Key: $API_KEY"')
