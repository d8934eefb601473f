"""Draw pictures with exact alpha as a dataset folder for ``python -m eval``.

The same SEED gives the same pictures. Each kind has a column of its own in the manifest; pictures
of the kinds page, ruled, blank and texture have no subject.
"""

from __future__ import annotations

import argparse
import csv
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from eval.dataset import COLUMNS
from eval.draw import blanks, boards, inks, openings, whites
from eval.draw.canvas import Drawing

Draw = Callable[[int, np.random.Generator], Drawing]
KINDS: dict[str, tuple[Draw, int]] = {
    "word": (inks.word, 18),
    "logo": (inks.logo, 15),
    "signature": (inks.signature, 9),
    "stamp": (inks.stamp, 12),
    "line drawing": (inks.drawing, 9),
    "chain": (openings.chain, 15),
    "frame": (openings.frame, 15),
    "mug": (openings.mug, 9),
    "set": (openings.product_set, 9),
    "label": (whites.label, 9),
    "screen": (whites.screen, 9),
    "shirt": (whites.shirt, 9),
    "cartoon": (whites.cartoon, 12),
    "illustration": (whites.illustration, 12),
    "checkerboard": (boards.board, 18),
    "transparent": (boards.transparent, 9),
    "page": (blanks.page, 6),
    "ruled": (blanks.ruled, 6),
    "blank": (blanks.blank, 6),
    "texture": (blanks.texture, 3),
}
SUBJECTS = ("universal", "product")


def draw(kind: str, number: int, seed: int = 1) -> Drawing:
    """Draw the picture of a number, from 0, of one of the KINDS."""
    function, _ = KINDS[kind]
    return function(number, np.random.default_rng([seed, zlib.crc32(kind.encode()), number]))


def main(arguments: list[str] | None = None) -> None:
    """Write the pictures, their alphas and manifest.tsv into a folder."""
    parser = argparse.ArgumentParser(prog="python -m eval.draw", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(arguments)
    folder: Path = options.folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "manifest.tsv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter="\t")
        rows.writerow([*COLUMNS, "kind"])
        for kind, (_, count) in KINDS.items():
            for number in range(count):
                drawing = draw(kind, number, options.seed)
                stem = f"{kind.replace(' ', '_')}_{number:02}"
                names = write(folder, stem, drawing)
                height, width = drawing.alpha.shape
                subject = SUBJECTS[number // 3 % 2]
                rows.writerow(["drawn", subject, stem, *names, "alpha", width, height, kind])


def write(folder: Path, stem: str, drawing: Drawing) -> tuple[str, str]:
    """Write a picture and its alpha; return the names of both files."""
    image, mask = f"{stem}.{'jpg' if drawing.quality else 'png'}", f"{stem}_alpha.png"
    order = cv2.COLOR_RGBA2BGRA if drawing.pixels.shape[2] == 4 else cv2.COLOR_RGB2BGR
    options = [cv2.IMWRITE_JPEG_QUALITY, drawing.quality] if drawing.quality else []
    cv2.imwrite(str(folder / image), cv2.cvtColor(drawing.pixels, order), options)
    cv2.imwrite(str(folder / mask), np.rint(drawing.alpha * 255).astype(np.uint8))
    return image, mask


if __name__ == "__main__":
    main()
