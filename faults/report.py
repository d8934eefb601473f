"""Write the tables of docs/faults.md, between their markers, and as JSON under build/."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from bench.machine import facts
from faults.finding import Finding, table
from harness.programs import ROOT

DOCUMENT = ROOT / "docs" / "faults.md"
RESULTS = ROOT / "build" / "faults"
MACHINE = ("date", "processor", "cores", "memory", "system", "python", "bgremove")


def write(name: str, findings: Sequence[Finding], note: str) -> Path:
    """Write a run to the document and to a JSON file; return the path of the JSON file."""
    machine = {key: value for key, value in facts(None).items() if key in MACHINE}
    RESULTS.mkdir(parents=True, exist_ok=True)
    result = RESULTS / f"{name}.json"
    result.write_text(as_json(machine, note, findings), "utf-8")
    about = f"{machine['date']}, {machine['processor']}, {machine['cores']} cores, "
    about += f"{machine['memory']}, {machine['bgremove']}."
    section = f"{about} {note}".strip() + "\n\n" + table(findings)
    DOCUMENT.write_text(replaced(DOCUMENT.read_text("utf-8"), name, section), "utf-8")
    return result


def as_json(machine: Mapping[str, str], note: str, findings: Iterable[Finding]) -> str:
    """Return a run as JSON."""
    rows = [vars(one) | {"verdict": one.verdict} for one in findings]
    kept = {"machine": machine, "note": note, "findings": rows}
    return json.dumps(kept, indent=2, ensure_ascii=False) + "\n"


def replaced(text: str, name: str, section: str) -> str:
    """Return the text with a section replaced between the markers of its name."""
    begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    pattern = re.compile(re.escape(begin) + ".*?" + re.escape(end), re.DOTALL)
    if not pattern.search(text):
        raise ValueError(f"no {begin.strip()} ... {end} to write between")
    return pattern.sub(lambda _: begin + section + end, text, count=1)
