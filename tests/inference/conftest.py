"""A log that caplog can read."""

from __future__ import annotations

import logging

import pytest


@pytest.fixture(autouse=True)
def _readable_log(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    """Let caplog see what bgremove logs, even after an application has sent it elsewhere."""
    monkeypatch.setattr(logging.getLogger("bgremove"), "propagate", True)
    caplog.set_level(logging.INFO, "bgremove")
