"""Score removers against pictures whose true alpha is known.

Each FOLDER holds manifest.tsv and the pictures it lists. A remover takes the bytes of an uploaded
picture and a Subject and returns an Answer. It raises NoSubjectError where it finds no subject.
"""

from __future__ import annotations

import argparse
import importlib
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.errors import NoSubjectError
from bgremove.options import Subject
from eval.calibration import calibration
from eval.dataset import Sample, read_manifest
from eval.score import Score, kind_table, score, table
from eval.sheet import contact_sheet, thumbnail

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, ImageU8


@dataclass(frozen=True, slots=True, eq=False)
class Answer:
    """A remover's answer.

    ``alpha`` is float32 (H, W) in [0, 1]. ``confidence`` in [0, 1] is the IoU that the remover
    expects, None when it reports none.
    """

    alpha: ArrayF32
    confidence: float | None = None


Remover = Callable[[bytes, Subject], Answer]


def evaluate(remove: Remover, sample: Sample) -> tuple[Score, ImageU8]:
    """Run one sample; return its figures and its thumbnail."""
    data, truth = sample.image.read_bytes(), sample.truth()
    started = time.process_time()
    try:
        answer, refused = remove(data, sample.subject), False
    except NoSubjectError:
        answer, refused = Answer(np.zeros_like(truth)), True
    cpu_ms = (time.process_time() - started) * 1000
    alpha = answer.alpha
    if alpha.shape != truth.shape:
        raise ValueError(f"{sample.image.name}: alpha is {alpha.shape}, the truth {truth.shape}")
    result = score(sample, alpha, truth, cpu_ms, refused=refused, confidence=answer.confidence)
    bgr = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    sure = "" if answer.confidence is None else f" c {answer.confidence:.2f}"
    name = sample.kind or sample.dataset
    caption = f"{sample.subject.value} {name}/{sample.stem} {result.iou:.3f}{sure}"
    return result, thumbnail(bgr, alpha, truth, caption)


def load(name: str) -> Remover:
    """Import a remover named MODULE:FUNCTION."""
    module, _, function = name.partition(":")
    remover: Remover = getattr(importlib.import_module(module), function)
    return remover


def report(name: str, scores: Sequence[Score], *, halves: bool = False) -> str:
    """Return one remover's Markdown: photographs by subject, drawn pictures by kind, calibration.

    Args:
        name: label of the tables.
        scores: the figures in manifest order, at least one.
        halves: whether pictures with even and with odd indices get separate tables.
    """
    parts = [(name, scores)]
    if halves:
        parts += [(f"{name}, even", scores[::2]), (f"{name}, odd", scores[1::2])]
    photographs = [(label, [s for s in part if not s.sample.kind]) for label, part in parts]
    texts = [table(label, part) for label, part in photographs if part]
    texts += [calibration(label, part) for label, part in parts]
    texts.append(kind_table(name, scores))
    return "\n".join(text for text in texts if text)


def main(arguments: list[str]) -> None:
    """Print tables for each remover; write them and contact sheets, worst first, to --out."""
    parser = argparse.ArgumentParser(prog="python -m eval", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER")
    parser.add_argument("--remove", action="append", metavar="MODULE:FUNCTION")
    parser.add_argument("--out", type=Path, default=Path("build/eval"))
    parser.add_argument("--every", type=int, default=1, help="take each N-th sample only")
    parser.add_argument("--halves", action="store_true", help="even and odd pictures as well")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    samples = [s for folder in options.folders for s in read_manifest(folder)][:: options.every]
    reports = []
    for name in options.remove or ["eval.removers:served"]:
        results = [evaluate(load(name), sample) for sample in samples]
        reports.append(report(name, [s for s, _ in results], halves=options.halves))
        print(reports[-1], flush=True)
        results.sort(key=lambda result: result[0].iou)
        sheet = contact_sheet([small for _, small in results])
        cv2.imwrite(str(options.out / f"{name.replace(':', '.')}.png"), sheet)
    (options.out / "table.md").write_text("\n".join(reports), encoding="utf-8")
