"""How a batch fares: a bar on a terminal, a line a picture elsewhere, JSON lines, a summary."""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import click

from bgremove.batch.records import Outcome, Status
from bgremove.datatypes import Notice

MINUTE_S = 60


class Report:
    """Tells of each picture as it finishes, and of all at the end.

    Words for people go to standard error: standard output is for pictures and JSON.
    """

    def __init__(self, total: int | None, *, as_json: bool = False, quiet: bool = False) -> None:
        """Tell of ``total`` pictures, None where nobody knows how many will come."""
        self.counts: Counter[Status] = Counter()
        self.doubtful = 0  # cut-outs that are probably wrong
        self._left_out: Counter[str] = Counter()  # files of folders, by kind
        self._total = total
        self._as_json, self._quiet = as_json, quiet
        self._started = time.monotonic()
        wants_bar = total is not None and total > 1 and sys.stderr.isatty() and not quiet
        self._bar = _bar(total) if wants_bar else None

    def add(self, outcome: Outcome) -> None:
        """Tell of a picture."""
        self.counts[outcome.status] += 1
        self.doubtful += Notice.LOW_CONFIDENCE in outcome.record.warnings
        if self._as_json:
            click.echo(json.dumps(outcome.fields()))
        elif outcome.status is Status.FAILED or (self._bar is None and not self._quiet):
            self._say(line_of(outcome))
        if self._bar is None:
            return
        if outcome.status is Status.SKIPPED:  # it took no time, and would spoil the rate
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
        """How many pictures were not dealt with."""
        return 0 if self._total is None else self._total - self.counts.total()

    def summary(self) -> str:
        """Return the sentence for the end."""
        done, skipped, failed = (self.counts[status] for status in Status)
        seconds = time.monotonic() - self._started
        parts = [f"{done} done"]
        if skipped:
            parts.append(f"{skipped} skipped (there already; --overwrite does them again)")
        if failed:
            parts.append(f"{failed} failed")
        if self.left:
            parts.append(f"{self.left} not begun")
        rate = f", {done / seconds:.1f} a second" if done > 1 else ""
        others = (
            f"; left out: {kinds_in_words(self._left_out.elements())}" if self._left_out else ""
        )
        doubts = f"; {self.doubtful} probably wrong" if self.doubtful else ""
        return f"{', '.join(parts)}; {_duration(seconds)}{rate}{doubts}{others}"

    def leave_out(self, files: Mapping[Path, str]) -> None:
        """Tell of the files of folders that are no pictures; ``files`` gives the kind of each."""
        self._left_out.update(files.values())
        if self._as_json:
            for path, kind in files.items():
                click.echo(json.dumps({"input": str(path), "status": "left-out", "kind": kind}))

    def __enter__(self) -> Report:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.close()


def kinds_in_words(kinds: Iterable[str]) -> str:
    """Count kinds, most first: ``3 HEIC, 1 other``."""
    return ", ".join(f"{count} {kind}" for kind, count in Counter(kinds).most_common())


def line_of(outcome: Outcome) -> str:
    """Return the line that tells a person of a picture."""
    record, source = outcome.record, _shown(outcome.source)
    if outcome.status is Status.FAILED:
        return f"failed   {source}: {record.message} ({record.code})"
    told = f"{outcome.status:<8} {source} -> {_shown(outcome.target)}"
    if outcome.status is Status.SKIPPED:
        return told
    told += f"  {outcome.ms} ms"
    if record.confidence is not None:
        told += f", {record.model}, confidence {record.confidence:.2f}"
    return told + (f", {', '.join(record.warnings)}" if record.warnings else "")


def _bar(total: int | None) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, unit="picture", dynamic_ncols=True)


def _shown(name: str) -> str:
    """Return a file's name without anything that a terminal would obey."""
    return name if name.isprintable() else repr(name)[1:-1]


def _duration(seconds: float) -> str:
    if seconds < MINUTE_S:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), MINUTE_S)
    return f"{minutes} min {rest} s"
