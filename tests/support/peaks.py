"""The peak of memory of removals, measured in a process of their own.

Run as ``python -m tests.support.peaks FOLDER`` with the folder of weights: prints, for each
picture, the bytes that worker and decoder take at once at the most, and the estimate of `cost`.
"""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import psutil

from bgremove import cost
from bgremove.deadline import Deadline
from bgremove.engine import Engine, build_engine
from bgremove.errors import NoSubjectError
from bgremove.imaging.intake import read_header
from bgremove.memory import return_freed_memory
from bgremove.options import Encoding, Options, OutputFormat
from bgremove.pipeline import remove_background
from bgremove.settings import Settings
from harness.pictures import ball, encoded
from tests.support.pictures import scene

WIDTH, HEIGHT = 2400, 1800
Pixels = np.ndarray


def rings() -> Pixels:
    """Rings within each other, whose regions have boxes of nearly the whole picture."""
    bgr = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    for radius in range(20, HEIGHT // 2 - 10, 16):
        cv2.circle(bgr, (WIDTH // 2, HEIGHT // 2), radius, (20, 20, 20), 5)
    return bgr


def drawing() -> Pixels:
    """The outline of a thing, which is filled."""
    bgr = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    middle, axes = (WIDTH // 2, HEIGHT // 2), (WIDTH // 3, HEIGHT // 3)
    cv2.ellipse(bgr, middle, axes, 20, 0, 360, (0, 0, 0), 9)
    for x in range(700, 1700, 200):
        cv2.circle(bgr, (x, HEIGHT // 2), 60, (0, 0, 0), 9)
    return bgr


def sheet() -> Pixels:
    """One large piece of ink, whose pixels all have its colour."""
    bgr = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    bgr[60:-60, 60:-60] = 0
    bgr[200:-200:90, 200:-200:90] = 255
    cv2.circle(bgr, (WIDTH // 2, HEIGHT // 2), 300, (255, 255, 255), -1)
    return bgr


def dots() -> Pixels:
    """So many pieces of ink that measuring each takes more than the picture."""
    bgr = np.full((HEIGHT, WIDTH, 3), 255, np.uint8)
    bgr[5:-5:4, 5:-5:4] = bgr[6:-5:4, 5:-5:4] = 0
    return bgr


def board() -> Pixels:
    """A thing on a painted checkerboard."""
    y, x = np.ogrid[:HEIGHT, :WIDTH]
    light = ((x // 24 + y // 24) % 2 * 63 + 191).astype(np.uint8)
    bgr = np.repeat(light[..., None], 3, axis=2)
    cv2.circle(bgr, (WIDTH // 2, HEIGHT // 2), 600, (40, 60, 200), 200)
    return bgr


def layered(depth: type) -> Pixels:
    """A photograph with an alpha that cuts nothing out."""
    bgra = scene(WIDTH, HEIGHT, 4, depth)
    bgra[..., 3] = np.iinfo(depth).max
    bgra[:200, :, 3] //= 2
    return bgra


CUT = Options()
WEBP = Options(encoding=Encoding.WEBP)
MASK = Options(output_format=OutputFormat.MASK)
# Name to the picture, its file type and the options.
PICTURES: dict[str, tuple[Callable[[], Pixels], str, Options]] = {
    "photograph": (lambda: ball(WIDTH, HEIGHT), ".jpg", CUT),
    "photograph as WEBP": (lambda: ball(WIDTH, HEIGHT), ".jpg", WEBP),
    "rings": (rings, ".png", CUT),
    "drawing": (drawing, ".jpg", CUT),
    "drawing as mask": (drawing, ".png", MASK),
    "sheet": (sheet, ".png", CUT),
    "dots": (dots, ".png", CUT),
    "checkerboard": (board, ".png", CUT),
    "alpha": (lambda: layered(np.uint8), ".png", CUT),
    "alpha of 16 bits": (lambda: layered(np.uint16), ".png", CUT),
}


def main() -> None:
    """Measure each picture and print the results as JSON."""
    return_freed_memory()
    settings = Settings(weights_dir=Path(sys.argv[1]), max_upload_bytes=1 << 26, threads=2)
    engine = build_engine(settings)
    engine.decoders.start()
    small = encoded(ball(), ".jpg")
    remove_background(small, CUT, engine, Deadline.after(600))  # loads what stays
    remove_background(small, WEBP, engine, Deadline.after(600))
    results = {}
    for name, (draw, kind, options) in PICTURES.items():
        results[name] = measured(encoded(draw(), kind), options, engine)
    engine.close()
    print(json.dumps(results))


def measured(picture: bytes, options: Options, engine: Engine) -> tuple[int, int]:
    """Return the peak of a removal and its estimate, in bytes."""
    header = read_header(picture, options, engine.limits)
    worker, (decoder,) = psutil.Process(), psutil.Process().children()
    before = [_peak_anew(process) for process in (worker, decoder)]
    with contextlib.suppress(NoSubjectError):
        remove_background(picture, options, engine, Deadline.after(600))
    in_worker, in_decoder = (
        _bytes(process, "VmHWM") - rest
        for process, rest in zip((worker, decoder), before, strict=True)
    )
    # Decoded pixels lie in memory that both share, and count in the worker once they are read.
    width, height = header.decoded_size
    return max(in_worker, in_decoder + 4 * width * height), cost.peak_bytes(header, options)


def _peak_anew(process: psutil.Process) -> int:
    """Start the peak of a process anew, and return its bytes now."""
    Path(f"/proc/{process.pid}/clear_refs").write_text("5", encoding="ascii")
    return _bytes(process, "VmRSS")


def _bytes(process: psutil.Process, row: str) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    return int(status.split(f"{row}:")[1].split()[0]) * 1024


if __name__ == "__main__":
    main()
