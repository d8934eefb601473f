"""Pictures without a subject: pages of text, ruled paper, blanks, gradients, textures."""

from __future__ import annotations

import numpy as np
from skimage import data

from eval.draw.canvas import FONTS, Canvas, Drawing, compose
from eval.draw.grounds import WHITE, gradient, paper, plain
from eval.draw.inks import quality, size

LINES = (
    "the quick brown fox jumps over the lazy dog and runs",
    "while seven wizards quietly mix five boxes of jugs",
    "for every page of the book that nobody has written",
)


def page(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a page of text; no part of it is a subject."""
    width = int(rng.integers(500, 1200))
    canvas = Canvas(width, round(width * 1.4))
    pitch = (0.035, 0.05, 0.028)[number % 3]
    rows = int(0.6 / pitch) * 2
    for k in range(rows):
        text = LINES[k % 3] if k % 7 else LINES[0][:20]
        canvas.text(
            (0, -0.6 + 0.6 / rows * 2 * k), text, (20, 20, 20), pitch * 0.9, FONTS[number % 5]
        )
    shape = (width, canvas.height)
    ground = plain(*shape) if number % 2 == 0 else paper(*shape, rng, noise=1)
    return _without_subject(compose(canvas, ground, quality(number)))


def ruled(number: int, rng: np.random.Generator) -> Drawing:
    """Draw ruled or squared paper."""
    width, height = size(rng, 400)
    ground = plain(width, height) if number % 2 == 0 else paper(width, height, rng)
    step = int(rng.integers(18, 40))
    ground[step::step] = (150, 180, 220)
    if number % 3 == 0:
        ground[:, step::step] = (150, 180, 220)
    elif number % 3 == 1:
        ground[:, 3 * step : 3 * step + 2] = (230, 120, 120)
    return _without_subject(compose(Canvas(width, height), ground, quality(number)))


def blank(number: int, rng: np.random.Generator) -> Drawing:
    """Draw one colour, a gradient, paper or noise."""
    width, height = size(rng)
    kind = number % 4
    if kind == 0:
        ground = plain(width, height, (WHITE, (30, 30, 30), (200, 30, 60))[number // 4 % 3])
    elif kind == 1:
        ground = gradient(width, height, (40, 80, 160), (240, 200, 160))
    elif kind == 2:
        ground = paper(width, height, rng, noise=2)
    else:
        ground = rng.uniform(90, 160, (height, width, 3)).astype(np.float32)
    return _without_subject(compose(Canvas(width, height), ground, quality(number)))


def texture(number: int, rng: np.random.Generator) -> Drawing:
    """Show a photographed texture: gravel, grass or bricks."""
    grey = (data.gravel, data.grass, data.brick)[number % 3]()  # type: ignore[no-untyped-call]
    top, left = rng.integers(0, 100, 2)
    part = grey[top : top + 400, left : left + 400].astype(np.float32)
    ground = part[..., None] * np.array(rng.uniform(0.7, 1, 3), np.float32)
    return _without_subject(compose(Canvas(400, 400), ground, quality(number)))


def _without_subject(drawing: Drawing) -> Drawing:
    return Drawing(drawing.pixels, np.zeros_like(drawing.alpha), drawing.quality)
