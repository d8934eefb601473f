"""The audit tells "nothing known" from "not found out"; with a real pip-audit if it is there."""

from __future__ import annotations

import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

import audit
from audit import CLEAN, CONTROL, NOT_AUDITED, VULNERABLE, ask, judged

TOOLS = Path(audit.__file__).parent
PIP_AUDIT = TOOLS.parent / ".venv-audit" / "bin" / "pip-audit"
CONTROL_NAME = CONTROL.partition("==")[0]
FLAW = {"id": "PYSEC-1", "aliases": ["CVE-1"], "fix_versions": ["2.0"], "description": "bad"}


def report(**vulns: list[dict[str, Any]]) -> dict[str, Any]:
    rows = [{"name": name, "version": "1.0", "vulns": found} for name, found in vulns.items()]
    return {"dependencies": rows, "fixes": []}


def test_nothing_known_is_clean() -> None:
    status, lines = judged(report(flask=[], click=[], pycrypto=[FLAW]), "")
    assert (status, lines) == (CLEAN, ["2 dependencies looked up, 0 advisories, 0 more accepted"])


def test_an_advisory_is_said_with_what_mends_it() -> None:
    unfixed = FLAW | {"id": "PYSEC-2", "aliases": [], "fix_versions": []}
    status, lines = judged(report(flask=[FLAW, unfixed], pycrypto=[FLAW]), "")
    assert status == VULNERABLE
    assert lines == [
        "1 dependencies looked up, 2 advisories, 0 more accepted",
        "flask 1.0: PYSEC-1, CVE-1; fixed in 2.0",
        "flask 1.0: PYSEC-2; fixed in nowhere yet",
    ]


def test_an_accepted_advisory_is_said_and_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(audit.ACCEPTED, "CVE-1", "we never call it")
    status, lines = judged(report(flask=[FLAW], pycrypto=[FLAW]), "")
    assert status == CLEAN
    assert lines[1] == "accepted, we never call it: flask 1.0: PYSEC-1, CVE-1; fixed in 2.0"


@pytest.mark.parametrize(
    "dependencies",
    [
        report(flask=[]),
        report(flask=[], pycrypto=[]),
        report(pycrypto=[FLAW]),
        {
            "dependencies": [
                *report(pycrypto=[FLAW])["dependencies"],
                {"name": "x", "skip_reason": "y"},
            ]
        },
    ],
    ids=["no control", "control unknown", "nothing pinned", "one skipped"],
)
def test_what_was_not_found_out_does_not_pass(dependencies: dict[str, Any]) -> None:
    status, lines = judged(dependencies, "")
    assert status == NOT_AUDITED
    assert lines[0].startswith("NOT AUDITED: ")


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    found, fault = ask(tmp_path / "constraints.txt", str(tmp_path / "none"), None)
    assert (found, fault) == (None, f"{tmp_path}/none: No such file or directory")


class Osv(http.server.BaseHTTPRequestHandler):
    """An OSV service that knows something against the control and against ``flawed``."""

    flawed: frozenset[str] = frozenset()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = asked["package"]["name"]
        package = {"name": name, "ecosystem": "PyPI"}
        ranges = [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "9.9"}]}]
        known = {"id": f"PYSEC-{name}", "affected": [{"package": package, "ranges": ranges}]}
        body = json.dumps({"vulns": [known]} if name in self.flawed else {}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def osv() -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Osv)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/v1/query"
    server.shutdown()
    thread.join()
    server.server_close()


def run(osv_url: str, folder: Path, *more: str) -> tuple[int, str]:
    if not PIP_AUDIT.exists():
        pytest.skip("no pip-audit; `make audit` brings it")
    constraints = folder / "constraints.txt"
    constraints.write_text("Flask==3.1.3\nast_serialize==0.13.1\n")
    command = [sys.executable, str(TOOLS / "audit.py"), str(constraints), "--osv-url", osv_url]
    command += ["--pip-audit", str(PIP_AUDIT), *more]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.stderr == ""
    return done.returncode, done.stdout


@pytest.mark.parametrize(
    ("flawed", "status", "said"),
    [
        ({CONTROL_NAME}, CLEAN, "2 dependencies looked up, 0 advisories"),
        ({CONTROL_NAME, "flask"}, VULNERABLE, "flask 3.1.3: PYSEC-flask; fixed in 9.9"),
        (set(), NOT_AUDITED, f"NOT AUDITED: the database knows nothing against {CONTROL}"),
    ],
)
def test_pip_audit_is_understood(
    osv: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    flawed: set[str],
    status: int,
    said: str,
) -> None:
    monkeypatch.setattr(Osv, "flawed", frozenset(flawed))
    ended, output = run(osv, tmp_path)
    assert ended == status
    assert said in output


def test_a_database_out_of_reach_fails_unless_that_is_allowed(tmp_path: Path) -> None:
    nowhere = "http://127.0.0.1:9/v1/query"
    status, output = run(nowhere, tmp_path)
    assert status == NOT_AUDITED
    assert output.startswith("NOT AUDITED: nothing could be looked up. ")
    assert "127.0.0.1" in output
    status, output = run(nowhere, tmp_path, "--allow-unreachable")
    assert status == CLEAN
    assert output.startswith("NOT AUDITED: ")
