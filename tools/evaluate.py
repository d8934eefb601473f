"""Score ways of removing backgrounds against pictures whose true matte is known.

FOLDER holds manifest.tsv and the pictures it names. A remover takes the bytes of an uploaded
picture and a Subject and returns alpha, float32 (H, W) in [0, 1]; where it sees nothing it raises
NoSubjectError.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from eval_dataset import Sample, read_manifest
from eval_score import Score, score, table
from eval_sheet import contact_sheet, thumbnail

from bgremove.datatypes import Subject
from bgremove.errors import NoSubjectError

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32, ImageU8

Remover = Callable[[bytes, Subject], "ArrayF32"]


def evaluate(remove: Remover, sample: Sample) -> tuple[Score, ImageU8]:
    """Run one sample; returns its figures and its thumbnail."""
    data, truth = sample.image.read_bytes(), sample.truth()
    started = time.perf_counter()
    try:
        alpha, refused = remove(data, sample.subject), False
    except NoSubjectError:
        alpha, refused = np.zeros_like(truth), True
    ms = (time.perf_counter() - started) * 1000
    if alpha.shape != truth.shape:
        raise ValueError(f"{sample.image.name}: alpha is {alpha.shape}, the truth {truth.shape}")
    result = score(sample, alpha, truth, ms, refused=refused)
    bgr = np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)
    caption = f"{sample.subject.value} {sample.dataset}/{sample.stem} {result.iou:.3f}"
    return result, thumbnail(bgr, alpha, truth, caption)


def load(name: str) -> Remover:
    """Import a remover named MODULE:FUNCTION."""
    module, _, function = name.partition(":")
    remover: Remover = getattr(importlib.import_module(module), function)
    return remover


def main(arguments: list[str]) -> None:
    """Print a table for each remover; write them and contact sheets, worst first, to --out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--remove", action="append", required=True, metavar="MODULE:FUNCTION")
    parser.add_argument("--out", type=Path, default=Path("build/eval"))
    parser.add_argument("--every", type=int, default=1, help="take each N-th sample only")
    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    samples = read_manifest(options.folder)[:: options.every]
    tables = []
    for name in options.remove:
        results = [evaluate(load(name), sample) for sample in samples]
        tables.append(table(name, [figures for figures, _ in results]))
        print(tables[-1], flush=True)
        results.sort(key=lambda result: result[0].iou)
        sheet = contact_sheet([small for _, small in results])
        cv2.imwrite(str(options.out / f"{name.replace(':', '.')}.png"), sheet)
    (options.out / "table.md").write_text("\n".join(tables), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
