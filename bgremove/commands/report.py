"""Progress of a batch: a bar on a terminal, else a line per picture, JSON lines, and a summary."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import click

from bgremove.batch.records import Outcome, Status
from bgremove.datatypes import WarningCode

MINUTE_S = 60


class Report:
    """Report each picture as it finishes, and a summary at the end.

    Messages go to standard error; standard output is for pictures and JSON.
    """

    def __init__(self, total: int | None, *, as_json: bool = False, quiet: bool = False) -> None:
        """Begin a report of ``total`` pictures, None if the number is unknown."""
        self.counts: Counter[Status] = Counter()
        self.doubtful = 0  # cut-outs that need a check
        self._left_out: Counter[str] = Counter()  # skipped files of folders, by kind
        self._total = total
        self._as_json, self._quiet = as_json, quiet
        self._started = time.monotonic()
        wants_bar = total is not None and total > 1 and sys.stderr.isatty() and not quiet
        self._bar = _bar(total) if wants_bar else None

    def add(self, outcome: Outcome) -> None:
        """Report a picture."""
        self.counts[outcome.status] += 1
        self.doubtful += WarningCode.LOW_CONFIDENCE in outcome.record.warnings
        if self._as_json:
            click.echo(json.dumps(outcome.fields()))
        elif outcome.status is Status.FAILED or (self._bar is None and not self._quiet):
            self._say(line_of(outcome))
        if self._bar is None:
            return
        if outcome.status is Status.SKIPPED:  # takes no time and would distort the rate
            self._bar.total -= 1
            self._bar.refresh()
        else:
            self._bar.update()

    def _say(self, line: str) -> None:
        if self._bar is None:
            click.echo(line, err=True)
        else:
            self._bar.write(line, file=sys.stderr)

    @property
    def left(self) -> int:
        """The number of unfinished pictures."""
        return 0 if self._total is None else self._total - self.counts.total()

    def summary(self) -> str:
        """Return the sentence that ends the report."""
        done, skipped, failed = (self.counts[status] for status in Status)
        seconds = time.monotonic() - self._started
        parts = [f"{done} done"]
        if skipped:
            parts.append(f"{skipped} skipped (finished before; --overwrite makes them again)")
        if failed:
            parts.append(f"{failed} failed")
        if self.left:
            parts.append(f"{self.left} not started")
        rate = f", {done / seconds:.1f} a second" if done > 1 else ""
        others = (
            f"; left out: {kinds_in_words(self._left_out.elements())}" if self._left_out else ""
        )
        doubts = f"; {self.doubtful} probably wrong" if self.doubtful else ""
        return f"{', '.join(parts)}; {_duration(seconds)}{rate}{doubts}{others}"

    def leave_out(self, files: Mapping[str, str]) -> None:
        """Report the skipped files of folders; ``files`` maps each to its kind."""
        self._left_out.update(files.values())
        if self._as_json:
            for path, kind in files.items():
                click.echo(json.dumps({"input": path, "status": "left-out", "kind": kind}))

    def __enter__(self) -> Report:
        return self

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.close()


def kinds_in_words(kinds: Iterable[str]) -> str:
    """Count kinds, the most frequent first: ``3 HEIC, 1 other``."""
    return ", ".join(f"{count} {kind}" for kind, count in Counter(kinds).most_common())


def line_of(outcome: Outcome) -> str:
    """Return the line of text that reports a picture."""
    record, source = outcome.record, _shown(outcome.source)
    if outcome.status is Status.FAILED:
        return f"failed   {source}: {record.message} ({record.code})"
    line = f"{outcome.status:<8} {source} -> {_shown(outcome.target)}"
    if outcome.status is Status.SKIPPED:
        return line
    line += f"  {outcome.ms} ms"
    if record.confidence is not None:
        line += f", {record.model}, confidence {record.confidence:.2f}"
    return line + (f", {', '.join(record.warnings)}" if record.warnings else "")


def _bar(total: int | None) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, unit="picture", dynamic_ncols=True)


def _shown(name: str) -> str:
    """Return a file's name with control characters escaped for a terminal."""
    return name if name.isprintable() else repr(name)[1:-1]


def _duration(seconds: float) -> str:
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE_S)
    return f"{minutes} min {rest} s"
