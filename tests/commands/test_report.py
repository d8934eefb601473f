import io
import sys

import pytest

from bgremove.batch.records import Job, Record, Status
from bgremove.commands.report import Report, line_of

JOB = Job("in/a.jpg", "out/a.png")
DONE = JOB.outcome(Status.DONE, 240, Record(model="u2net", confidence=0.934, warnings=("w",)))
SKIPPED = JOB.outcome(Status.SKIPPED)
FAILED = JOB.outcome(Status.FAILED, 3, Record("CODE", "a reason"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_tells_of_a_picture() -> None:
    line = "done     in/a.jpg -> out/a.png  240 ms, u2net, confidence 0.93, w"
    assert line_of(DONE) == line
    assert line_of(SKIPPED) == "skipped  in/a.jpg -> out/a.png"
    assert line_of(FAILED) == "failed   in/a.jpg: a reason (CODE)"


def test_a_name_cannot_command_the_terminal() -> None:
    nasty = Job("\x1b[2Ja\n.jpg", "-").outcome(Status.DONE)
    assert line_of(nasty).startswith("done     \\x1b[2Ja\\n.jpg -> -")


def test_the_summary_counts_everything() -> None:
    with Report(5, quiet=True) as report:
        for outcome in (DONE, DONE, SKIPPED):
            report.add(outcome)
    summary = report.summary()
    assert summary.startswith("2 done, 1 skipped (finished before; --overwrite makes them again), ")
    assert "2 not started; 0.0 s, " in summary
    assert "failed" not in summary


def test_a_terminal_gets_a_bar_with_failures_above_it(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with Report(3) as report:
        for outcome in (DONE, SKIPPED, FAILED):
            report.add(outcome)
    shown = terminal.getvalue()
    assert "failed   in/a.jpg: a reason (CODE)\n" in shown
    assert "2/2" in shown  # a skipped picture is none of those to be done
    assert "picture/s" in shown or "s/picture" in shown
    assert "done     " not in shown
