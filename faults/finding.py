"""Findings of scenarios: the action, the answers to clients, lost requests, and faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from faults.clients import Seen

COLUMNS = (
    "what was done",
    "what may be lost",
    "what clients saw",
    "lost beyond that",
    "measured",
    "verdict",
)


@dataclass
class Finding:
    """One row of the table; ``faults`` are the sentences that make it fail."""

    done: str
    may_lose: str
    answers: Counter[str] = field(default_factory=Counter)
    lost: int = 0
    allowed: int = 0
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    skipped: str = ""

    def saw(self, seen: Iterable[Seen], *, expected: Iterable[str] = ("200",)) -> None:
        """Count answers; those that are not ``expected`` count as lost.

        An answer that is neither a picture nor an error envelope is a fault.
        """
        fine = set(expected)
        for one in seen:
            self.answers[one.outcome] += 1
            self.lost += one.outcome not in fine
            if not one.is_well_formed:
                self.expect(False, f"neither picture nor envelope: {one.outcome}")

    def expect(self, holds: bool, otherwise: str) -> None:
        """Record the fault ``otherwise``, at most once, unless the condition ``holds``."""
        if not holds and otherwise not in self.faults:
            self.faults.append(otherwise)

    def at_most_lost(self, count: int) -> None:
        """Allow at most ``count`` lost requests."""
        self.allowed = count
        self.expect(self.lost <= count, f"{self.lost} requests were lost, at most {count} may be")

    def note(self, sentence: str) -> None:
        """Add a sentence that is printed beside the counts."""
        self.notes.append(sentence)

    @property
    def verdict(self) -> str:
        """The text of the last column."""
        if self.skipped:
            return f"not run: {self.skipped}"
        return "FAILED: " + "; ".join(self.faults) if self.faults else "held"


def table(findings: Iterable[Finding]) -> str:
    """Render findings as a Markdown table."""
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + " --- |" * len(COLUMNS)]
    for one in findings:
        answers = ", ".join(f"{count:,} × {what}" for what, count in sorted(one.answers.items()))
        beyond = max(0, one.lost - one.allowed)
        cells = one.done, one.may_lose, answers or "–", beyond, "; ".join(one.notes), one.verdict
        lines.append("| " + " | ".join(str(cell).replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines) + "\n"
