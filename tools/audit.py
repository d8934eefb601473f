"""Look up every pinned dependency in the OSV database: `make audit`.

pip-audit exits with 1 both for a vulnerable package and for a failed lookup. This script separates
them: it exits with 0 where all lookups succeed and find nothing, 1 where a package is vulnerable,
and 2 where a lookup fails. A package with a known vulnerability is looked up as a control, because
some proxies answer "nothing known" to every request.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CLEAN, VULNERABLE, NOT_AUDITED = 0, 1, 2
CONTROL = "pycrypto==2.6.1"  # abandoned, with an unfixed advisory of 2013
TIMEOUT_S = 15  # for one lookup
# Advisories that do not affect this project, by id, with the reason. Remove them with a new pin.
ACCEPTED: dict[str, str] = {}


def main() -> int:
    """Run the audit, print the result and return the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("constraints", type=Path, nargs="?", default=Path("constraints.txt"))
    parser.add_argument("--pip-audit", default="pip-audit", help="The program to run.")
    parser.add_argument("--osv-url", help="Another OSV service than the public one.")
    parser.add_argument(
        "--allow-unreachable",
        action="store_true",
        help="End with 0 where nothing could be looked up; it is still said.",
    )
    given = parser.parse_args()
    report, fault = ask(given.constraints, given.pip_audit, given.osv_url)
    status, lines = judged(report, fault)
    print("\n".join(lines))
    return CLEAN if status == NOT_AUDITED and given.allow_unreachable else status


def ask(constraints: Path, program: str, osv_url: str | None) -> tuple[dict[str, Any] | None, str]:
    """Run pip-audit; return its report, or None and its last message."""
    with tempfile.TemporaryDirectory() as folder:
        control, output = Path(folder, "control.txt"), Path(folder, "report.json")
        control.write_text(CONTROL + "\n")
        command = [program, "--requirement", str(constraints), "--requirement", str(control)]
        command += ["--no-deps", "--disable-pip", "--vulnerability-service", "osv"]
        command += ["--timeout", str(TIMEOUT_S), "--progress-spinner", "off", "--strict"]
        command += ["--format", "json", "--output", str(output)]
        command += ["--osv-url", osv_url] if osv_url else []
        try:
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        except OSError as error:
            return None, f"{program}: {error.strerror}"
        if not output.exists():  # written only where every lookup succeeded
            said = [line.strip() for line in done.stderr.splitlines() if line.strip()]
            return None, said[-1] if said else f"it ended with {done.returncode}"
        return json.loads(output.read_text("utf-8")), ""


def judged(report: dict[str, Any] | None, fault: str) -> tuple[int, list[str]]:
    """Return the exit status for a report, and the lines to print."""
    if report is None:
        return NOT_AUDITED, [f"NOT AUDITED: nothing could be looked up. {fault}"]
    name, _, _ = CONTROL.partition("==")
    asked = {row["name"]: row for row in report["dependencies"]}
    control = asked.pop(name, {})
    if not control.get("vulns"):
        return NOT_AUDITED, [f"NOT AUDITED: the database knows nothing against {CONTROL}"]
    skipped = [
        f"{row['name']}: {row['skip_reason']}" for row in asked.values() if "vulns" not in row
    ]
    if skipped or not asked:
        return NOT_AUDITED, [f"NOT AUDITED: {len(skipped)} skipped, {len(asked)} pinned", *skipped]
    found = [_sentence(row, vuln) for row in asked.values() for vuln in row["vulns"]]
    counts = [sentence.startswith("accepted") for sentence in found]
    bad = counts.count(False)
    head = f"{len(asked)} dependencies looked up, {bad} advisories, {sum(counts)} more accepted"
    return VULNERABLE if bad else CLEAN, [head, *sorted(found)]


def _sentence(row: dict[str, Any], vuln: dict[str, Any]) -> str:
    ids = [vuln["id"], *vuln["aliases"]]
    fixed = ", ".join(vuln["fix_versions"]) or "nowhere yet"
    said = f"{row['name']} {row['version']}: {', '.join(ids)}; fixed in {fixed}"
    reasons = [ACCEPTED[id_] for id_ in ids if id_ in ACCEPTED]
    return f"accepted, {reasons[0]}: {said}" if reasons else said


if __name__ == "__main__":
    sys.exit(main())
