"""Datasets: folders of pictures and true masks, listed in manifest.tsv."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from bgremove.options import Subject

if TYPE_CHECKING:
    from bgremove.datatypes import ArrayF32

# Required columns of a manifest; `kind` is optional, others are ignored.
COLUMNS = ("dataset", "subject", "stem", "image_path", "mask_path", "mask_kind", "width", "height")


@dataclass(frozen=True, slots=True)
class Sample:
    """A picture with its true mask.

    ``soft`` is true when the mask is an alpha matte. ``kind`` is the group of the picture in the
    table by kind, or empty.
    """

    dataset: str
    subject: Subject
    stem: str
    image: Path
    mask: Path
    soft: bool
    kind: str = ""

    def truth(self) -> ArrayF32:
        """Return the true alpha, float32 (H, W) in [0, 1]; only 0 and 1 unless ``soft``."""
        grey = cv2.imread(str(self.mask), cv2.IMREAD_GRAYSCALE)
        if grey is None:
            raise ValueError(f"{self.mask.name} of {self.dataset} cannot be read")
        alpha = np.multiply(grey, np.float32(1 / 255), dtype=np.float32)
        return alpha if self.soft else (alpha > 0.5).astype(np.float32)


def read_manifest(folder: Path) -> list[Sample]:
    """List the samples of a dataset folder in the order of its manifest.tsv."""
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        return [
            Sample(
                dataset=row["dataset"],
                subject=Subject(row["subject"]),
                stem=row["stem"],
                image=folder / row["image_path"],
                mask=folder / row["mask_path"],
                soft=row["mask_kind"] == "alpha",
                kind=row.get("kind") or "",
            )
            for row in csv.DictReader(file, delimiter="\t")
        ]
