"""schemathesis asks a real gunicorn for what the document lets it, and much that it does not."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

from tests.support.http import ROOT, Server

COMMAND = Path(sys.executable).with_name("schemathesis")
HANG_S = 300


def test_schemathesis_finds_no_answer_that_the_document_does_not_give(
    server: Server, tmp_path: Path
) -> None:
    address = f"http://127.0.0.1:{server.port}/"
    document = server.door.send("GET", "/openapi.json").json()
    # From a file: schemathesis leaves out the address that it has the document from.
    (tmp_path / "openapi.json").write_text(json.dumps(document))
    done = subprocess.run(
        [
            *(COMMAND, "run", "openapi.json", "--url", address, "--checks", "all"),
            # The schema has no rules between fields (`background` goes with `white_bg`), and a
            # picture put into an example counts as a violation: neither check knows what is valid.
            *("--exclude-checks", "positive_data_acceptance,negative_data_rejection"),
            *("--seed", "1", "--max-examples", "30", "--workers", "1", "--no-color"),
            *("--generation-database", "none", "--report", "ndjson"),
            *("--report-ndjson-path", "report.ndjson"),
        ],
        cwd=tmp_path,
        env=os.environ
        | {"SCHEMATHESIS_HOOKS": "tests.contract.schemathesis_hooks", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    statuses = Counter(statuses_of(tmp_path / "report.ndjson"))
    assert statuses.keys() <= {200, 400, 404, 405}, statuses
    assert statuses[200] > 50, statuses
    assert statuses[400] > 10, statuses
    labels = {
        f"{method.upper()} {path}" for path, item in document["paths"].items() for method in item
    }
    assert f"{len(labels)} selected / {len(labels)} total" in done.stdout


def statuses_of(report: Path) -> list[int]:
    """Return the status of every answer in a report."""
    found: list[int] = []

    def look(value: Any) -> None:
        if isinstance(value, dict):
            found.extend([value["status_code"]] if "status_code" in value else [])
            for part in value.values():
                look(part)
        elif isinstance(value, list):
            for part in value:
                look(part)

    for line in report.read_text("utf-8").splitlines():
        look(json.loads(line))
    return found
