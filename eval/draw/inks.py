"""Graphics of one ink: words, logos, signatures, stamps and line drawings."""

from __future__ import annotations

import math

import numpy as np

from eval.draw.canvas import CLEAR, FONTS, Canvas, Colour, Drawing, Point, compose, ellipse
from eval.draw.grounds import WHITE, paper, plain

WORDS = ("BOARD", "Roast & Brew", "AQUA", "Oboe", "DROP 88", "Good Goods", "PAPER", "ObiQ", "Eagle")
INKS: tuple[Colour, ...] = (
    *((20, 20, 20), (196, 18, 28), (20, 60, 150), (0, 110, 70)),
    *((240, 120, 0), (90, 30, 120)),
)
GROUNDS: tuple[Colour, ...] = (
    WHITE,
    WHITE,
    (250, 246, 235),
    (30, 34, 40),
    (255, 214, 0),
    (0, 0, 0),
)


def size(rng: np.random.Generator, shortest: int = 300, longest: int = 1600) -> tuple[int, int]:
    """Return a width and a height, of 1:1 to 2:1."""
    long = round(math.exp(rng.uniform(math.log(shortest), math.log(longest))))
    return long, max(shortest // 2, round(long / rng.uniform(1, 2)))


def pair(rng: np.random.Generator, number: int) -> tuple[Colour, Colour]:
    """Return an ink and a ground that differ clearly."""
    ground = GROUNDS[number % len(GROUNDS)]
    inks = [
        i for i in (*INKS, WHITE) if max(abs(a - b) for a, b in zip(i, ground, strict=True)) > 110
    ]
    return inks[int(rng.integers(len(inks)))], ground


def quality(number: int) -> int | None:
    """Return the JPEG quality of every third picture; None for the others."""
    return (None, None, (92, 85, 75)[number // 3 % 3])[number % 3]


def word(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a word in one colour on one exact colour."""
    width, height = size(rng)
    canvas = Canvas(width, height // 2)
    ink, ground = pair(rng, number)
    face, text = FONTS[number % len(FONTS)], WORDS[number % len(WORDS)]
    wide = width / canvas.height * 0.85 / canvas.text_width(text, 1, face)
    canvas.text((0, 0), text, ink, min(0.8, wide), face)
    return compose(canvas, plain(width, height // 2, ground), quality(number))


def logo(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a mark with openings, beside or above a word."""
    width, height = size(rng)
    canvas = Canvas(width, height)
    ink, ground = pair(rng, number + 1)
    y, r = -0.1, 0.22
    mark = number % 5
    if mark == 0:
        canvas.disc((0, y), (r, r), ink)
        canvas.disc((0, y), (0.55 * r, 0.55 * r), CLEAR)
    elif mark == 1:
        for k in range(3):
            canvas.ring(((k - 1) * r, y), (0.6 * r, 0.6 * r), ink, 0.2 * r)
    elif mark == 2:
        canvas.line([(-r, y + r), (0, y - r), (r, y + r), (-r, y + r)], ink, 0.25 * r)
    elif mark == 3:
        canvas.box((-r, y - r), (2 * r, 2 * r), ink, 0.4 * r)
        canvas.text((0, y), "B", CLEAR, 1.7 * r, FONTS[1])
    else:
        for k in range(6):
            t = math.pi * k / 3
            canvas.ring(
                (0.5 * r * math.cos(t), y + 0.5 * r * math.sin(t)),
                (0.5 * r, 0.5 * r),
                ink,
                0.08 * r,
            )
    text, face = WORDS[(number + 3) % len(WORDS)], FONTS[(number * 3) % len(FONTS)]
    canvas.text((0, 0.3), text, ink, 0.18, face)
    return compose(canvas, plain(width, height, ground), quality(number))


def signature(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a pen stroke with loops on white or on photographed paper."""
    width, height = size(rng, 400, 1400)
    canvas = Canvas(width, height // 2 * 2)
    ink = ((25, 30, 110), (15, 15, 15), (20, 20, 70))[number % 3]
    t = np.linspace(0, rng.uniform(5, 8) * 2 * math.pi, 900)
    reach = 0.42 * width / min(width, canvas.height)
    drift = np.linspace(-0.75 * reach, 0.75 * reach, t.size)
    swell = 0.11 * (1 + 0.6 * np.sin(t * rng.uniform(0.15, 0.35) + rng.uniform(0, 6)))
    x, y = drift + 1.1 * swell * np.cos(t), 1.5 * swell * np.sin(t + 0.3) - 0.05
    points: list[Point] = list(zip(x.tolist(), y.tolist(), strict=True))
    pen = rng.uniform(0.006, 0.012)
    canvas.line(points, ink, pen)
    canvas.line([(-reach, 0.27), (0.9 * reach, 0.22)], ink, pen)
    shape = (width, canvas.height)
    ground = plain(*shape) if number % 3 == 0 else paper(*shape, rng, noise=(0, 1.5)[number % 2])
    return compose(canvas, ground, quality(number))


def stamp(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a rubber stamp: one or two rings round a word."""
    width, height = size(rng)
    canvas = Canvas(width, height)
    ink = INKS[1 + number % 4]
    axes = (0.42 * min(1.4, width / height), 0.36)
    stroke = rng.uniform(0.012, 0.035)
    if number % 4 == 3:
        canvas.box((-axes[0], -0.2), (2 * axes[0], 0.4), ink, 0.05)
        inner = (stroke - axes[0], stroke - 0.2), (2 * (axes[0] - stroke), 2 * (0.2 - stroke))
        canvas.box(*inner, CLEAR, 0.04)
    else:
        canvas.ring((0, 0), axes, ink, stroke)
        if number % 2:
            canvas.ring((0, 0), (axes[0] - 0.05, axes[1] - 0.05), ink, stroke / 2)
    text = ("SAMPLE", "PAID", "APPROVED", "COPY")[number % 4]
    tall = min(0.22, 0.2 * 1.25 * axes[0] / canvas.text_width(text, 0.2, FONTS[2]))
    canvas.text((0, 0), text, ink, tall, FONTS[2])
    ground = plain(width, height) if number % 2 == 0 else paper(width, height, rng, noise=1)
    return compose(canvas, ground, quality(number))


def drawing(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a figure in thin dark lines on white; the areas inside the lines belong to it."""
    width, height = size(rng, 400, 1400)
    canvas = Canvas(width, height)
    ink, pen = ((10, 10, 10), (60, 60, 60))[number % 2], rng.uniform(0.005, 0.009)
    if number % 3 == 0:  # a face on a stick figure
        canvas.disc((0, -0.15), (0.25, 0.25), WHITE, ink, pen)
        for x in (-0.09, 0.09):
            canvas.disc((x, -0.22), (0.03, 0.03), WHITE, ink, pen)
        canvas.line([(-0.11, -0.08), (-0.05, -0.02), (0.05, -0.02), (0.11, -0.08)], ink, pen)
        canvas.line([(0, 0.1), (0, 0.4)], ink, pen)
        canvas.line([(-0.15, 0.3), (0, 0.18), (0.15, 0.3)], ink, pen)
    elif number % 3 == 1:  # a house
        canvas.box((-0.3, -0.1), (0.6, 0.5), WHITE, 0, ink, pen)
        canvas.area([(-0.36, -0.1), (0, -0.42), (0.36, -0.1)], WHITE)
        canvas.line([(-0.36, -0.1), (0, -0.42), (0.36, -0.1), (-0.36, -0.1)], ink, pen)
        canvas.box((-0.08, 0.1), (0.16, 0.3), WHITE, 0, ink, pen)
        for x in (-0.24, 0.12):
            canvas.box((x, 0), (0.12, 0.12), WHITE, 0, ink, pen)
    else:  # a fish
        canvas.area([(0.2, 0), (0.42, -0.18), (0.42, 0.18)], WHITE)
        canvas.line([(0.2, 0), (0.42, -0.18), (0.42, 0.18), (0.2, 0)], ink, pen)
        canvas.area(ellipse((-0.08, 0), (0.33, 0.2)), WHITE)
        canvas.ring((-0.08, 0), (0.33, 0.2), ink, pen)
        canvas.disc((-0.28, -0.05), (0.03, 0.03), WHITE, ink, pen)
        canvas.line([(-0.12, -0.17), (-0.06, 0), (-0.12, 0.17)], ink, pen)
    return compose(canvas, plain(width, height), quality(number))
