"""Fixtures: a real Chromium and a real gunicorn; errors that the browser reports fail a test."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.support.http import Server, gunicorn
from tests.support.tiny import tiny_weights

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

# The first one has no window and needs half of the processor time of the others.
BROWSERS = ("chromium-headless-shell", "chromium", "google-chrome")
PATIENCE_MS = 90_000  # timeout of a page on a busy machine
# Chromium draws without a graphics card: animations would take most of its time.
STILL = {"reduced_motion": "reduce"}
DESKTOP = {"viewport": {"width": 1280, "height": 800}} | STILL
PHONE = STILL | {
    "viewport": {"width": 360, "height": 740},
    "device_scale_factor": 2,
    "has_touch": True,
    "is_mobile": True,
}
EXPECTED = "Failed to load resource: "  # Chromium's console message for an error status
Open = Callable[..., AbstractContextManager[Any]]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Any]:
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        pytest.skip(f"there is no Chromium here (Debian: {BROWSERS[0]})")
    playwright.expect.set_options(timeout=PATIENCE_MS)
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return settings for networks of one step: enough for tests of the page."""
    folder = tiny_weights(tmp_path_factory.mktemp("weights"))
    return {"BGREMOVE_WEIGHTS_DIR": str(folder), "BGREMOVE_TIMEOUT_S": "120"}


@pytest.fixture(scope="package")
def server(tiny: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with gunicorn(tmp_path_factory.mktemp("pages"), tiny) as server:
        yield server


@pytest.fixture(scope="package")
def real_server(weights: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    settings = {"BGREMOVE_WEIGHTS_DIR": str(weights), "BGREMOVE_TIMEOUT_S": "120"}
    with gunicorn(tmp_path_factory.mktemp("real"), settings) as server:
        yield server


def answer(dialog: Any, complaints: list[str]) -> None:
    """Accept the dialog that warns of lost results; other dialogs are not expected."""
    if dialog.type != "beforeunload":
        complaints.append(f"dialog: {dialog.message}")
    dialog.accept()


@pytest.fixture(scope="package")
def opened(chromium: Any) -> Open:
    @contextmanager
    def opened(server: Server, path: str = "/", **options: Any) -> Iterator[Any]:
        """Open a page of a server; at the end, the browser must have reported no error."""
        complaints: list[str] = []
        context = chromium.new_context(**(DESKTOP | options))
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        page = context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
        page.on("dialog", lambda dialog: answer(dialog, complaints))
        page.goto(f"http://127.0.0.1:{server.port}{path}")
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


@pytest.fixture
def real_page(opened: Open, real_server: Server) -> Iterator[Any]:
    """Open the page of a server with the real networks."""
    with opened(real_server) as page:
        yield page
