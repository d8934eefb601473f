"""Count the pictures that ``subject=human`` refuses, in a folder for `python -m eval`.

Pictures of the subject human should be accepted, all others refused. Pictures of other subjects
that also show a person are not counted; ``people_seen.tsv`` lists those of the evaluation set.
"""

from __future__ import annotations

import argparse
import csv
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bgremove.errors import NoSubjectError
from bgremove.options import Subject
from eval.command import load
from eval.dataset import Sample, read_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from eval.command import Remover

SEEN = Path(__file__).with_name("people_seen.tsv")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict on a picture: accepted or refused."""

    sample: Sample
    refused: bool


def somebody_seen(path: Path = SEEN) -> set[tuple[str, str]]:
    """Return dataset and stem of the pictures of other subjects that show a person."""
    with path.open(encoding="utf-8", newline="") as file:
        return {(row["dataset"], row["stem"]) for row in csv.DictReader(file, delimiter="\t")}


def judge(remove: Remover, samples: Sequence[Sample]) -> list[Verdict]:
    """Run a remover for the people in each sample."""
    verdicts = []
    for sample in samples:
        try:
            remove(sample.image.read_bytes(), Subject.HUMAN)
            verdicts.append(Verdict(sample, refused=False))
        except NoSubjectError:
            verdicts.append(Verdict(sample, refused=True))
    return verdicts


def table(verdicts: Sequence[Verdict], seen: set[tuple[str, str]]) -> str:
    """Return a Markdown table of the refusals by half of the set, and the wrong verdicts."""
    lines = [
        "| pictures | people | refused | nobody | refused |",
        "| --- | --- | --- | --- | --- |",
    ]
    for label, part in (("even", verdicts[::2]), ("odd", verdicts[1::2]), ("all", verdicts)):
        people = [v for v in part if v.sample.subject is Subject.HUMAN]
        nobody = [v for v in part if _shows_nobody(v.sample, seen)]
        counts = [(len(some), sum(v.refused for v in some)) for some in (people, nobody)]
        cells = [f"{count} | {refused}" for count, refused in counts]
        lines.append(f"| {label} | {' | '.join(cells)} |")
    wrong = [v.sample for v in verdicts if _is_wrong(v, seen)]
    names = ", ".join(f"{s.subject} {s.dataset}/{s.stem}" for s in wrong)
    return "\n".join([*lines, "", f"Wrong: {names or 'none'}", ""])


def _shows_nobody(sample: Sample, seen: set[tuple[str, str]]) -> bool:
    return sample.subject is not Subject.HUMAN and (sample.dataset, sample.stem) not in seen


def _is_wrong(verdict: Verdict, seen: set[tuple[str, str]]) -> bool:
    if verdict.sample.subject is Subject.HUMAN:
        return verdict.refused
    return _shows_nobody(verdict.sample, seen) and not verdict.refused


def main(arguments: list[str]) -> None:
    """Print the table of one remover."""
    parser = argparse.ArgumentParser(prog="python -m eval.people", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--remove", default="eval.removers:served", metavar="MODULE:FUNCTION")
    options = parser.parse_args(arguments)
    print(table(judge(load(options.remove), read_manifest(options.folder)), somebody_seen()))


if __name__ == "__main__":
    main(sys.argv[1:])
