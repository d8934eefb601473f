"""Answers given before a body was read arrive as themselves, and nginx changes no answer."""

from __future__ import annotations

import csv

import pytest

from harness.early import HEADS, MB, TIMES, exchanged, pieces_of
from harness.nginx import Edge
from tests.imaging import bombs
from tests.support import pictures as made
from tests.support.http import Answer, Server, error_of, file, form, post

CORPUS = made.SHARED / "corpus"
EACH_KIND = 2  # of the corpus: a sample, because what is asked here is not what it is
ROWS: list[dict[str, str]] = []
if CORPUS.is_dir():
    with (CORPUS / "manifest.tsv").open(encoding="utf-8", newline="") as manifest:
        ROWS = list(csv.DictReader(manifest, delimiter="\t", quoting=csv.QUOTE_NONE))


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("name", HEADS)
def test_early_answers_to_9_mb_arrive_as_themselves(edge: Edge, name: str, framing: str) -> None:
    head, status, code = HEADS[name]
    for answer in exchanged(edge, pieces_of(head, 9 * MB, framing), TIMES):
        error_of(answer, status, code)


@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("name", HEADS)
def test_60_mb_are_refused_before_any_path_is_looked_at(
    edge: Edge, name: str, framing: str
) -> None:
    for answer in exchanged(edge, pieces_of(HEADS[name][0], 60 * MB, framing), TIMES):
        error = error_of(answer, 400, "VALIDATION_ERROR")
        assert "11 MiB" in error["message"]
        assert ("60000000" in error["message"]) == (framing == "length")


def sample() -> list[dict[str, str]]:
    """Return a few rows of each folder of the corpus, spread over it."""
    rows = []
    for kind in sorted({row["path"].partition("/")[0] for row in ROWS}):
        of_kind = [row for row in ROWS if row["path"].startswith(f"{kind}/")]
        rows += of_kind[:: max(1, len(of_kind) // EACH_KIND)][:EACH_KIND]
    return rows


@pytest.mark.skipif(not ROWS, reason="no ../shared/corpus here")
@pytest.mark.parametrize("path", [row["path"] for row in sample()])
def test_a_file_of_the_corpus_gets_the_same_answer_as_without_nginx(
    edge: Edge, real_server: Server, path: str
) -> None:
    _compare(edge, real_server, (CORPUS / path).read_bytes())


@pytest.mark.parametrize("name", bombs.BOMBS)
def test_a_bomb_gets_the_same_refusal_as_without_nginx(
    edge: Edge, real_server: Server, name: str
) -> None:
    make, word = bombs.BOMBS[name]
    answer = _compare(edge, real_server, make())
    assert word in error_of(answer, 400, "VALIDATION_ERROR")["message"]


def _compare(edge: Edge, server: Server, data: bytes) -> Answer:
    direct, through = (post(door, form(file("image", data))) for door in (server.door, edge.door))
    assert through.status == direct.status
    varies = {"x-request-id", "x-processing-ms", "server-timing", "date", "server", "connection"}
    varies |= {"content-length"} if direct.status >= 400 else set()  # processingMs has its digits
    kept = {name: value for name, value in direct.headers.items() if name not in varies}
    assert kept.items() <= through.headers.items()
    if direct.status == 200:
        assert through.body == direct.body
    else:
        assert through.json()["error"] == direct.json()["error"]
    return through
