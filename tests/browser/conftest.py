"""Fixtures: a real Chromium, a real gunicorn and real weights; browser errors fail a test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import Server, gunicorn

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

PATIENCE_MS = 90_000  # timeout of a page on a busy machine
DESKTOP = {"viewport": {"width": 1280, "height": 800}}
PHONE = {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
EXPECTED = "Failed to load resource: "  # Chromium's console message for an error status
Open = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    path = shutil.which("chromium") or shutil.which("google-chrome")
    if path is None:
        pytest.skip("there is no Chromium here (Debian: chromium)")
    playwright.expect.set_options(timeout=PATIENCE_MS)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_TIMEOUT_S": "120"}
    with gunicorn(tmp_path_factory.mktemp("pages"), settings) as server:
        yield server


def answer(dialog: Any, complaints: list[str]) -> None:
    """Accept the dialog that warns of lost results; other dialogs are not expected."""
    if dialog.type != "beforeunload":
        complaints.append(f"dialog: {dialog.message}")
    dialog.accept()


@pytest.fixture(scope="package")
def opened(chromium: Any) -> Open:
    @contextmanager
    def opened(server: Server, **options: Any) -> Iterator[Any]:
        """Open the page of a server; at the end, the browser must have reported no error."""
        complaints: list[str] = []
        context = chromium.new_context(**(DESKTOP | options))
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("dialog", lambda dialog: answer(dialog, complaints))
        page.goto(f"http://127.0.0.1:{server.port}/")
        try:
            yield page
        finally:
            context.close()
        assert [line for line in complaints if EXPECTED not in line] == []

    return opened


@pytest.fixture
def page(opened: Open, server: Server) -> Iterator[Any]:
    with opened(server) as page:
        yield page
