"""A log that can be read, and a web server for weights, on loopback."""

from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from tests.provisioning.file_server import FileServer


@pytest.fixture(autouse=True)
def _readable_log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Let caplog see what bgremove logs, even after an application has sent it elsewhere."""
    monkeypatch.setattr(logging.getLogger("bgremove"), "propagate", True)
    caplog.set_level(logging.INFO, "bgremove")


@pytest.fixture
def server() -> Iterator[FileServer]:
    with FileServer() as server:
        yield server
