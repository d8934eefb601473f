"""Draw a set of large product pictures whose true alpha is known, for `make eval`.

No free set of large photographs with true mattes is available. These are drawings: outlines filled
with photographed textures, embossed, with a soft shadow, on a studio's backdrop, a wall, a lawn or
an out-of-focus photograph. They measure edges at 2,000 to 3,500 pixels, but say little about the
recognition of things.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from skimage import data

from eval.dataset import COLUMNS
from eval.product_shapes import SHAPES, Pen

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ArrayF32, ImageU8

Ground = Callable[[tuple[int, int], np.random.Generator], "ArrayF32"]
SIDES = (2000, 2700, 3500)  # px: the longer side; each shape is drawn in each size
SEED = 7


def main(arguments: list[str]) -> None:
    """Write the pictures, their alphas and manifest.tsv into a folder."""
    parser = argparse.ArgumentParser(prog="python -m eval.products", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(SEED)
    with (folder / "manifest.tsv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, delimiter="\t")
        rows.writerow(COLUMNS)
        for number, shape in enumerate(SHAPES):
            for turn, side in enumerate(SIDES):
                stem, width, height = f"{shape.__name__}_{side}", side, side * 3 // 4
                mask = np.zeros((height, width), np.uint8)
                shape(Pen(mask))
                picture = _picture(mask, GROUNDS[(number + turn) % len(GROUNDS)], rng)
                cv2.imwrite(str(folder / f"{stem}.png"), mask)
                cv2.imwrite(str(folder / f"{stem}.jpg"), picture, [cv2.IMWRITE_JPEG_QUALITY, 93])
                names = f"{stem}.jpg", f"{stem}.png"
                rows.writerow(["drawn", "product", stem, *names, "alpha", width, height])


def _picture(mask: ImageU8, ground: Ground, rng: np.random.Generator) -> ImageU8:
    """Render a shape, mask uint8 (H, W), as BGR uint8 (H, W, 3)."""
    height, width = mask.shape
    alpha = mask.astype(np.float32) / 255
    blurred = cv2.GaussianBlur(alpha, (0, 0), width * 0.002)
    relief = cv2.filter2D(blurred, -1, np.array([[-1, -1, 0], [-1, 0, 1], [0, 1, 1]], np.float32))
    light = 1 + 25 * np.asarray(relief, np.float32)
    thing = _tinted(data.gravel(), (height, width), rng.uniform(40, 200, 3), 0.35, (9.0, 1.5))
    thing *= light.clip(0.5, 1.6)[..., None]
    shadow = np.roll(alpha, (round(height * 0.02), round(width * 0.01)), (0, 1))
    back = ground((height, width), rng)
    back *= 1 - 0.4 * cv2.GaussianBlur(shadow, (0, 0), width * 0.012)[..., None]
    mixed = thing * alpha[..., None] + back * (1 - alpha[..., None])
    grain = rng.standard_normal(mixed.shape, np.float32) * 2  # levels
    return np.rint(mixed + grain).clip(0, 255).astype(np.uint8)


def _studio(shape: tuple[int, int], rng: np.random.Generator) -> ArrayF32:
    falling = np.linspace(240, 190, shape[0], dtype=np.float32)[:, None, None]
    tint = rng.uniform(0.93, 1, 3).astype(np.float32)
    return np.broadcast_to(falling * tint, (*shape, 3)).copy()


def _wall(shape: tuple[int, int], rng: np.random.Generator) -> ArrayF32:
    return _tinted(data.brick(), shape, rng.uniform(90, 180, 3), 0.8, (2.5, 2.5))


def _lawn(shape: tuple[int, int], _: np.random.Generator) -> ArrayF32:
    return _tinted(data.grass(), shape, np.array([60, 130, 80]), 1.0, (3.0, 3.0))


def _distance(shape: tuple[int, int], _: np.random.Generator) -> ArrayF32:
    photograph = cv2.resize(data.rocket()[..., ::-1].astype(np.float32), shape[::-1])
    return np.asarray(cv2.GaussianBlur(photograph, (0, 0), shape[0] * 0.02), np.float32)


def _tinted(
    texture: ImageU8,
    shape: tuple[int, int],
    colour: NDArray[np.float64],
    contrast: float,
    scale: tuple[float, float],
) -> ArrayF32:
    """Cover a shape with a grey texture, enlarged (x, y) and mirrored, with mean ``colour``."""
    large = cv2.resize(texture, None, fx=scale[0], fy=scale[1], interpolation=cv2.INTER_CUBIC)
    missing = [max(0, want - have) for want, have in zip(shape, large.shape, strict=True)]
    large = np.pad(large, [(0, more) for more in missing], mode="symmetric")[: shape[0], : shape[1]]
    grey = large.astype(np.float32) / large.mean()
    return np.asarray((1 + contrast * (grey[..., None] - 1)) * colour, np.float32)


GROUNDS: tuple[Ground, ...] = (_studio, _wall, _distance, _lawn)

if __name__ == "__main__":
    main(sys.argv[1:])
