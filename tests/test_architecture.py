"""docs/architecture.md is true: its map of rooms is the plan, and the paths it names exist."""

from __future__ import annotations

import re

import pytest

from tests.test_imports import RANK, ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
MAP = re.compile(r"^\| room \| purpose \|\n\| --- \| --- \|\n((?:\|.+\n)+)", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)\)")
PATH = re.compile(
    r"`((?:bgremove|api|batch|commands|imaging|inference|matting|provisioning|remover|sandbox|serving"
    r"|sight|tests)/[\w./]*)`"
)


def test_the_map_of_rooms_is_the_plan_of_the_imports() -> None:
    (table,) = MAP.findall(PAGE)
    drawn = [row.split(" | ")[0].removeprefix("| ") for row in table.splitlines()]
    assert set(drawn) == set(RANK), "adapt the table in docs/architecture.md"
    ranks = [RANK[room] for room in drawn]
    assert ranks == sorted(ranks), "a room of the table stands above one that it imports from"


def test_every_path_that_the_page_names_exists() -> None:
    paths = PATH.findall(PAGE)
    assert len(paths) > 20
    for path in paths:
        assert any((ROOT / folder / path).exists() for folder in ("", "bgremove")), path


@pytest.mark.parametrize(
    ("index", "folder"), [("README.md", "."), ("decisions/README.md", "decisions")]
)
def test_every_page_is_in_its_index(index: str, folder: str) -> None:
    docs = ROOT / "docs"
    listed = set(LINK.findall((docs / index).read_text("utf-8")))
    pages = {path.name for path in (docs / folder).glob("*.md")} - {"README.md"}
    assert pages <= listed


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("docs/**/*.md")) + sorted(ROOT.glob("*.md")), ids=lambda p: p.name
)
def test_every_link_within_the_project_leads_somewhere(page) -> None:
    for link in LINK.findall(page.read_text("utf-8")):
        assert (page.parent / link).exists(), f"{page.name}: {link}"
