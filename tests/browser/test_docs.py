"""The forms of the page at /docs send what they say, and so do their lines for a shell."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("playwright")
from playwright.sync_api import Page, expect

from bgremove.api.assets import release
from tests.browser.conftest import Open
from tests.browser.hands import HOSTILE, astronaut
from tests.support.http import Server

CHOOSE = """(input, name) => {
  const files = new DataTransfer();
  files.items.add(new File(["picture"], name));
  input.files = files.files;
  input.dispatchEvent(new Event("input", { bubbles: true }));
}"""


@pytest.fixture
def docs(opened: Open, server: Server) -> Iterator[Any]:
    with opened(server) as page:
        page.goto(f"http://127.0.0.1:{server.port}/docs")
        yield page


@pytest.mark.parametrize("name", ["plain.jpg", HOSTILE, " blanks around ", "-"])
def test_the_curl_line_sends_the_file_that_is_chosen(docs: Page, tmp_path: Path, name: str) -> None:
    if shutil.which("curl") is None:
        pytest.skip("there is no curl here")
    form = docs.locator("#removeBackground form")
    form.locator("input[type=file]").evaluate(CHOOSE, name)
    (tmp_path / name).write_bytes(astronaut()["buffer"])
    line = form.locator(".curl").text_content()
    subprocess.run(
        ["sh", "-c", f"{line}"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    assert {path.name for path in tmp_path.iterdir()} == {name, "answer"}
    assert (tmp_path / "answer").read_bytes().startswith(b"\x89PNG")


def test_what_is_typed_for_the_parts_of_a_path_is_sent(docs: Page) -> None:
    form = docs.locator("#pageFile form")
    form.locator("[name=release_hash]").fill(release().hash)
    form.locator("[name=name]").fill("main.js")
    expect(form.locator(".curl")).to_contain_text(f"/pages/{release().hash}/main.js'")
    form.get_by_role("button", name="Send").click()
    expect(form.locator(".answer .done")).to_contain_text("200")
    expect(form.locator(".answer")).to_contain_text("Puts the parts together")
    form.locator("[name=name]").fill("a/b?c")
    expect(form.locator(".curl")).to_contain_text(f"/pages/{release().hash}/a%2Fb%3Fc'")
