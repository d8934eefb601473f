"""The dashboard, the alerts and the document name what the server really says, in valid PromQL."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from typing import Any

import promql_parser
import pytest

from harness.metrics import Samples, scraped
from tests.support.http import ROOT, Server, file, form, gunicorn, post, text
from tests.support.tiny import ball, encoded, tiny_weights

DASHBOARD = ROOT / "deploy" / "grafana" / "bgremove.json"
ALERTS = ROOT / "deploy" / "prometheus" / "alerts.yml"
DOCUMENT = ROOT / "docs" / "operations.md"
OF_THE_SCRAPER = {"job", "instance"}  # labels that Prometheus adds
RANGES = {"$__rate_interval": "5m", "$instance": "all"}  # what Grafana puts in
EXPRESSION = re.compile(r"^        expr: (?:\|\n((?: {10}.*\n)+)|(.+)\n)", re.MULTILINE)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server that has had a success with a warning."""
    folder = tmp_path_factory.mktemp("gunicorn")
    weights = tiny_weights(tmp_path_factory.mktemp("weights"))
    with gunicorn(folder, {"BGREMOVE_WEIGHTS_DIR": str(weights)}) as server:
        body = form(file("image", encoded(ball())), text("subject", "human"))
        assert post(server.door, body).status == 200
        yield server


@pytest.fixture(scope="module")
def live(server: Server) -> Samples:
    return scraped(server.door)


def expressions_of(node: Any) -> Iterator[str]:
    """Yield every ``expr`` of a dashboard, as Prometheus would get it."""
    if isinstance(node, dict):
        if "expr" in node:
            yield filled(node["expr"])
        for value in node.values():
            yield from expressions_of(value)
    elif isinstance(node, list):
        for value in node:
            yield from expressions_of(value)


def filled(expression: str) -> str:
    for variable, value in RANGES.items():
        expression = expression.replace(variable, value)
    return expression


def dashboard() -> dict[str, Any]:
    return dict(json.loads(DASHBOARD.read_text("utf-8")))


def of_dashboard() -> list[str]:
    return list(expressions_of(dashboard()))


def of_alerts() -> list[str]:
    found = EXPRESSION.findall(ALERTS.read_text("utf-8"))
    return [block or single for block, single in found]


def selectors(expression: str) -> dict[str, set[str]]:
    """Parse an expression; return the labels that it selects by, by metric."""
    found: dict[str, set[str]] = {}

    def visit(node: promql_parser.Expr) -> None:
        if isinstance(node, promql_parser.VectorSelector):
            assert node.name is not None
            labels = {matcher.name for matcher in node.matchers.matchers}
            found.setdefault(node.name, set()).update(labels)

    promql_parser.walk(promql_parser.parse(expression), visit)
    return found


def test_there_are_expressions_to_look_at() -> None:
    assert len(of_dashboard()) > 40
    assert len(of_alerts()) == ALERTS.read_text("utf-8").count("- alert:") == 9


@pytest.mark.parametrize("expression", [*of_dashboard(), *of_alerts()])
def test_an_expression_is_valid_and_names_what_there_is(expression: str, live: Samples) -> None:
    for metric, labels in selectors(expression).items():
        if metric == "up":  # Prometheus' own
            continue
        assert metric in live.names
        has = {label for name, pairs in live if name == metric for label, _ in pairs}
        assert labels <= has | OF_THE_SCRAPER


def test_the_check_bites(live: Samples) -> None:
    with pytest.raises(ValueError, match="unclosed"):
        selectors("sum(rate(bgremove_requests_total[5m])")
    assert selectors('rate(bgremove_request_total{stage="x"}[5m])') == {
        "bgremove_request_total": {"stage"}
    }
    assert "bgremove_request_total" not in live.names


def test_the_autoscaler_goes_by_a_metric_that_there_is(live: Samples) -> None:
    text = (ROOT / "deploy/kubernetes/autoscaler.yaml").read_text("utf-8")
    named = set(re.findall(r"bgremove_\w+", text))
    assert named
    assert named <= live.names


def test_every_metric_is_on_the_dashboard_or_in_an_alert(live: Samples) -> None:
    used = {name for found in [*of_dashboard(), *of_alerts()] for name in selectors(found)}
    shown = {family_of(name) for name in used}
    assert {family_of(name) for name in live.names} - shown == {"bgremove_build_info"}


def test_every_metric_is_explained_and_no_other(live: Samples) -> None:
    rows = re.findall(r"^\| `(bgremove_\w+)`", DOCUMENT.read_text("utf-8"), re.MULTILINE)
    assert len(rows) == len(set(rows))
    assert set(rows) == {family_of(name) for name in live.names}


def family_of(name: str) -> str:
    return re.sub(r"_(bucket|sum|count)$", "", name)


def test_the_panels_of_the_dashboard_lie_side_by_side() -> None:
    panels = dashboard()["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    taken = set()
    for panel in panels:
        at = panel["gridPos"]
        for x in range(at["x"], at["x"] + at["w"]):
            for y in range(at["y"], at["y"] + at["h"]):
                assert x < 24
                assert (x, y) not in taken
                taken.add((x, y))


def test_every_panel_asks_the_data_source_that_is_chosen_above() -> None:
    for panel in dashboard()["panels"]:
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert all(target["datasource"] == panel["datasource"] for target in panel["targets"])


@pytest.mark.parametrize(
    "arguments",
    [
        ("check", "config", "deploy/prometheus/prometheus.yml"),
        ("check", "rules", "deploy/prometheus/alerts.yml"),
        ("test", "rules", "tests/deploy/alerts_test.yml"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_promtool_finds_nothing_wrong(arguments: tuple[str, ...]) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; Debian's package prometheus has it")
    done = subprocess.run([promtool, *arguments], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_takes_what_the_server_says(server: Server) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed; Debian's package prometheus has it")
    said = server.door.send("GET", "/metrics").body
    done = subprocess.run([promtool, "check", "metrics"], input=said, capture_output=True)
    assert (done.returncode, done.stdout + done.stderr) == (0, b"")
