"""GET /metrics: formats, switching it off, and that it is silent."""

from __future__ import annotations

import dataclasses

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as open_metrics

from bgremove import create_app
from bgremove.settings import Settings
from harness.metrics import scraped
from tests.api.conftest import LogLines
from tests.support.http import FlaskDoor, error_of


def test_the_format_is_the_one_asked_for(door: FlaskDoor) -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    answer = door.send("GET", "/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"].startswith("application/openmetrics-text; version=1.0.0")
    families = {family.name for family in open_metrics(answer.body.decode())}
    assert {"bgremove_requests", "bgremove_stage_duration_seconds"} <= families


@pytest.mark.parametrize("accept", ["", "*/*", "text/html", "application/json", "\xff"])
def test_any_other_accept_gets_the_plain_text(door: FlaskDoor, accept: str) -> None:
    answer = door.send("GET", "/metrics", headers={"Accept": accept})
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["content-length"] == str(len(answer.body))


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("text/plain;version=x", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;version=x", "application/openmetrics-text; version=1.0.0"),
        ("application/openmetrics-text;version=2.o", "application/openmetrics-text; version=1.0.0"),
        ("application/openmetrics-text;q=0, */*", "text/plain; version=0.0.4; charset=utf-8"),
        ("application/openmetrics-text;q=0.1, text/plain", "text/plain; version=0.0.4"),
    ],
)
def test_a_version_of_the_client_s_is_neither_believed_nor_repeated(
    door: FlaskDoor, accept: str, expected: str
) -> None:
    answer = door.send("GET", "/metrics", headers={"Accept": accept})
    assert answer.status == 200
    content_type = answer.headers["content-type"]
    assert content_type.startswith(expected)
    assert content_type.count("version=") == 1
    assert "2.o" not in content_type


def test_a_scrape_is_not_logged(door: FlaskDoor, log_lines: LogLines) -> None:
    scraped(door)
    assert log_lines() == []
    error_of(door.send("POST", "/metrics"), 405, "METHOD_NOT_ALLOWED")
    assert len(log_lines()) == 1


def test_it_can_be_switched_off(settings: Settings) -> None:
    door = FlaskDoor(create_app(dataclasses.replace(settings, metrics=False)))
    error_of(door.send("GET", "/metrics"), 404, "NOT_FOUND")
    assert door.send("GET", "/livez").status == 200


def test_two_applications_in_one_process_count_apart(settings: Settings) -> None:
    one, other = (FlaskDoor(create_app(settings)) for _ in range(2))
    one.send("GET", "/nothing")
    assert scraped(one).of("errors_total", code="NOT_FOUND") == 1
    assert scraped(other).of("errors_total", code="NOT_FOUND") == 0
