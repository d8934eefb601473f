"""A release begins only where it can end: with a version, a changelog and a clean tree."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.http import ROOT

sys.path.insert(0, str(ROOT / "tools"))
from release import (
    CHANGELOG,
    PACKAGE,
    ReleaseError,
    changes_of,
    with_date,
    with_version,
)

LOG = (
    "# Changelog\n\n## 1.3.0 (unreleased)\n\n- New.\n\n## 1.2.0\n\n- Old.\n- Older.\n\n## 1.1.0\n\n"
)


def test_the_section_of_a_version_ends_at_the_next() -> None:
    assert changes_of("1.3.0", LOG) == "- New."
    assert changes_of("1.2.0", LOG) == "- Old.\n- Older."


@pytest.mark.parametrize("version", ["1.1.0", "1.0.0", "1.3", "2.0"])
def test_a_version_without_changes_is_refused(version: str) -> None:
    with pytest.raises(ReleaseError, match="has no section"):
        changes_of(version, LOG)


def test_the_version_and_the_day_are_set_in_their_places() -> None:
    source = with_version(PACKAGE.read_text("utf-8"), "9.8.7")
    assert source.count('__version__ = "9.8.7"') == 1
    assert "## 1.3.0 (2026-01-02)\n" in with_date(LOG, "1.3.0", "2026-01-02")
    assert changes_of("0.1.0", with_date(CHANGELOG.read_text("utf-8"), "0.1.0", "2026-01-02"))


@pytest.mark.parametrize("version", ["", "1", "v1.2.0", "1.2.0-rc1", "1.2.0; rm -rf ."])
def test_what_is_no_version_is_refused_before_anything_is_changed(version: str) -> None:
    run = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "release.py"), version],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 1
    assert "is no version" in run.stderr
