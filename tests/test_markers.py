"""The lists of tests/conftest.py and of the Makefile name what exists."""

from __future__ import annotations

import re

from tests.conftest import LONG, PROCESSES
from tests.support.http import ROOT


def test_every_long_folder_and_every_module_with_processes_exists() -> None:
    assert [name for name in LONG if not (ROOT / "tests" / name).is_dir()] == []
    paths = [name.replace(".", "/") for name in PROCESSES]
    assert [path for path in paths if not list(ROOT.glob(f"{path}*"))] == []


def test_make_check_leaves_out_every_marker_of_setup_cfg() -> None:
    markers = re.findall(r"^    (\w+): ", (ROOT / "setup.cfg").read_text("utf-8"), re.MULTILINE)
    (fast,) = re.findall(r"^FAST := not \((.*)\)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(fast.split(" or ")) == set(markers)
    assert len(markers) >= 6
