"""Findings count lost requests, and fail above their limit."""

from __future__ import annotations

import json

import pytest

from faults.clients import Seen, outcome_of
from faults.finding import Finding, table
from faults.report import as_json, replaced
from tests.support.http import Answer

ENVELOPE = {"meta": {"requestId": "a"}, "error": {"code": "UPSTREAM_ERROR"}}
JSON = {"content-type": "application/json", "x-request-id": "a"}


def seen(outcome: str, is_well_formed: bool = True) -> Seen:
    return Seen(outcome, 0.1, 0.0, is_well_formed)


def test_what_is_not_expected_is_lost() -> None:
    found = Finding("it", "one")
    found.saw([seen("200"), seen("502 UPSTREAM_ERROR"), seen("cut (OSError)")])
    assert found.lost == 2
    found.at_most_lost(2)
    assert found.verdict == "held"
    found.at_most_lost(1)
    assert found.verdict == "FAILED: 2 requests were lost, at most 1 may be"


def test_an_answer_that_is_no_envelope_fails_it_even_where_it_may_be_lost() -> None:
    found = Finding("it", "everything")
    found.saw([seen("502 text/html", False)], expected={"502 text/html"})
    assert found.verdict == "FAILED: neither picture nor envelope: 502 text/html"


@pytest.mark.parametrize(
    ("status", "headers", "body", "outcome"),
    [
        (200, {"content-type": "image/png"}, b"x", ("200", True)),
        (200, {"content-type": "text/html"}, b"x", ("200", False)),
        (200, {"content-type": "image/png"}, b"", ("200", False)),
        (502, JSON, json.dumps(ENVELOPE).encode(), ("502 UPSTREAM_ERROR", True)),
        (502, JSON | {"x-request-id": "b"}, json.dumps(ENVELOPE).encode(), None),
        (502, {"content-type": "text/html"}, b"<html>", ("502 text/html", False)),
        (500, JSON, b"null", ("500 application/json", False)),
    ],
)
def test_outcomes(
    status: int, headers: dict[str, str], body: bytes, outcome: tuple[str, bool] | None
) -> None:
    expected = outcome or ("502 UPSTREAM_ERROR", False)
    assert outcome_of(Answer(status, headers, body)) == expected


def test_the_table_has_a_row_each() -> None:
    found = Finding("a | b", "nothing")
    found.saw([seen("200"), seen("200")])
    skipped = Finding("c", "", skipped="no root")
    lines = table([found, skipped]).splitlines()
    assert len(lines) == 4
    assert lines[2] == "| a \\| b | nothing | 2 × 200 | 0 |  | held |"
    assert lines[3].endswith("| not run: no root |")


def test_only_the_section_between_its_markers_is_replaced() -> None:
    text = "a\n<!-- x -->\nold\n<!-- /x -->\n<!-- y -->\nkept\n<!-- /y -->\n"
    assert replaced(text, "x", "new\n") == text.replace("old", "new")
    with pytest.raises(ValueError, match="no <!-- z -->"):
        replaced(text, "z", "new")


def test_a_run_is_kept_for_programs() -> None:
    found = Finding("it", "nothing")
    found.saw([seen("200"), seen("200")])
    kept = json.loads(as_json({"cores": "2 of 2"}, "a note", [found]))
    assert kept["machine"] == {"cores": "2 of 2"}
    assert kept["findings"][0]["answers"] == {"200": 2}
    assert kept["findings"][0]["verdict"] == "held"
