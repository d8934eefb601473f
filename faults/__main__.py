"""Inject faults into a running service, and report the lost requests.

    python -m faults faults --times 10
    python -m faults overload --seconds 60
    python -m faults soak --requests 3000 --good DIR --foreign DIR

Prints a Markdown table, writes it to docs/faults.md and as JSON under build/faults/, and exits with
1 if more requests are lost than allowed.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from faults import report
from faults.finding import Finding, table
from faults.overload import overload
from faults.scenarios import SCENARIOS
from faults.soak import Mix, soak
from faults.stand import Ground
from harness.programs import ROOT, ServerError


def arguments() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("what", choices=("faults", "overload", "soak"))
    parser.add_argument("--times", type=int, default=10, help="of each fault")
    parser.add_argument("--only", default="", help="scenarios with this in their names; no report")
    parser.add_argument("--seconds", type=float, default=60, help="of each kind of overload")
    parser.add_argument("--requests", type=int, default=3000, help="of the soak")
    parser.add_argument("--minutes", type=float, default=20, help="of the soak, at most")
    parser.add_argument("--good", type=Path, help="folder of more pictures for the soak")
    parser.add_argument("--foreign", type=Path, help="folder of odd files for the soak")
    parser.add_argument("--note", default="", help="a sentence for the report, on the machine")
    return parser.parse_args()


def findings(given: argparse.Namespace, ground: Ground) -> Iterator[Finding]:
    """Run the selected scenarios."""
    if given.what == "overload":
        yield from overload(ground, given.seconds)
    elif given.what == "soak":
        mix = Mix(good_folder=given.good, foreign_folder=given.foreign)
        yield from soak(ground, given.requests, mix, given.minutes * 60)
    else:
        for scenario in SCENARIOS:
            if given.only in scenario.__name__:
                yield from safely(scenario.__name__, scenario(ground))


def safely(name: str, found: Iterable[Finding]) -> Iterator[Finding]:
    """Turn an exception in a scenario into a failed row, so that the others run."""
    try:
        yield from found
    except (AssertionError, OSError, ServerError) as fault:
        broken = Finding(name, "")
        broken.expect(False, f"broke down: {str(fault)[:200]}")
        yield broken


def main() -> int:
    """Run, report, and return the exit status."""
    given = arguments()
    found = []
    with tempfile.TemporaryDirectory(prefix="bgremove-faults-") as folder:
        ground = Ground(Path(folder), ROOT / "weights", given.times, strict=True)
        with closing(ground):
            started = time.monotonic()
            for one in findings(given, ground):
                found.append(one)
                seconds = time.monotonic() - started
                print(f"{seconds:6.0f} s  {one.done}: {one.verdict}", file=sys.stderr, flush=True)
    print(table(found))
    if not given.only:
        print(f"written to {report.DOCUMENT} and {report.write(given.what, found, given.note)}")
    return 1 if any(one.faults for one in found) else 0


if __name__ == "__main__":
    sys.exit(main())
