"""Things with openings: chains, empty frames, mugs with handles; and sets with small parts."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from eval.draw.canvas import CLEAR, Canvas, Colour, Drawing, Point, RgbF32, compose
from eval.draw.grounds import WHITE, paper, plain, shaded
from eval.draw.inks import quality, size

METALS: tuple[Colour, ...] = ((205, 165, 70), (170, 172, 178), (190, 120, 95), (60, 60, 66))


def chain(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a necklace, bracelet or ring that lies as a loop."""
    width, height = size(rng)
    height = max(height, width * 3 // 4)
    canvas = Canvas(width, height)
    metal, axes = METALS[number % len(METALS)], (rng.uniform(0.28, 0.36), rng.uniform(0.3, 0.38))
    if number % 5 == 4:  # a finger ring with a stone
        canvas.ring((0, 0.08), (0.26, 0.26), metal, 0.04)
        canvas.area([(-0.09, -0.25), (0.09, -0.25), (0.06, -0.14), (-0.06, -0.14)], (150, 190, 230))
    else:
        beads = int(rng.integers(50, 110))
        gap = 0 if number % 2 else 8
        radius = rng.uniform(0.006, 0.013)
        for k in range(gap // 2, beads - gap // 2):
            t = 2 * math.pi * k / beads + math.pi / 2
            at = (axes[0] * math.cos(t), axes[1] * math.sin(t) - 0.04)
            canvas.disc(at, (radius, 0.8 * radius), metal)
        if number % 3 == 0:
            canvas.ring((0, -0.04), axes, metal, 0.4 * radius)
        canvas.disc((0, axes[1] + 0.02), (0.03, 0.045), metal)
    ground = (
        plain(width, height, ((235, 235, 235), WHITE)[number // 4 % 2])
        if number % 4 == 0
        else paper(width, height, rng, noise=(0, 1, 2)[number % 3])
    )
    shade = shaded(rng, 0.4, 2) if number % 2 else None
    return compose(canvas, ground, quality(number), shade)


def frame(number: int, rng: np.random.Generator) -> Drawing:
    """Draw an empty picture frame: the wall shows through it."""
    width, height = size(rng)
    canvas = Canvas(width, height)
    colour = ((150, 100, 55), (200, 160, 60), (120, 60, 40), (90, 110, 90))[number % 4]
    half = (rng.uniform(0.28, 0.4), rng.uniform(0.28, 0.4))
    thick = rng.uniform(0.04, 0.1)
    inner = (thick - half[0], thick - half[1]), (2 * (half[0] - thick), 2 * (half[1] - thick))
    if number % 5 == 4:
        canvas.disc((0, 0), half, colour)
        canvas.disc((0, 0), (half[0] - thick, half[1] - thick), CLEAR)
    else:
        canvas.box((-half[0], -half[1]), (2 * half[0], 2 * half[1]), colour, 0)
        canvas.box(*inner, CLEAR)
    walls: tuple[Colour, ...] = ((235, 235, 235), WHITE, (205, 215, 225))
    ground = (
        paper(width, height, rng, noise=1.5)
        if number % 3 == 2
        else plain(width, height, walls[number % 3])
    )
    return compose(canvas, ground, quality(number), _grain(rng))


def mug(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a mug or a jug with a handle."""
    width, height = size(rng)
    canvas = Canvas(width, height)
    colour = ((180, 40, 40), (40, 90, 160), (240, 200, 60), (60, 60, 60), (90, 150, 110))[
        number % 5
    ]
    canvas.ring((0.2, 0), (0.14, 0.17), colour, rng.uniform(0.035, 0.055))
    canvas.box((-0.28, -0.3), (0.46, 0.6), colour, 0.05)
    canvas.disc((-0.05, -0.3), (0.23, 0.04), tuple(round(0.6 * c) for c in colour))
    ground = (
        paper(width, height, rng, noise=1)
        if number % 3 == 1
        else plain(width, height, (WHITE, WHITE, (232, 236, 240))[number % 3])
    )
    return compose(canvas, ground, quality(number), shaded(rng) if number % 2 else None)


def product_set(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a large thing with the small parts of its set, and unrelated dust."""
    width = int(rng.integers(600, 1400))
    canvas = Canvas(width, width)
    colour = ((40, 60, 120), (120, 40, 50), (50, 100, 70), (70, 70, 75))[number % 4]
    if number % 2:
        canvas.disc((0.05, -0.12), (0.28, 0.26), colour)
    else:
        canvas.box((-0.1, -0.42), (0.5, 0.62), colour, 0.03)
    for k in range(3 + number % 3):
        at: Point = (-0.38 + 0.12 * k, 0.36)
        radius = rng.uniform(0.016, 0.024)
        if number % 3 == 0:
            canvas.disc(at, (radius, radius), colour)
        elif number % 3 == 1:
            canvas.box((at[0], at[1] - radius), (2.4 * radius, 1.6 * radius), colour, 0.004)
        else:
            canvas.ring(at, (radius, radius), colour, 0.01)
    ground = (
        paper(width, width, rng, noise=1) if number % 2 else plain(width, width, (232, 232, 232))
    )
    for _ in range(6):  # dust, about 2 px
        y, x = rng.integers(5, width - 5, 2)
        ground[y : y + 2, x : x + 2] -= 60
    return compose(canvas, ground, quality(number), shaded(rng, 0.2, 2))


def _grain(rng: np.random.Generator) -> Callable[[RgbF32], RgbF32]:
    """Return the shading of carved wood: stripes and noise."""
    wave, noise = rng.uniform(12, 40), rng.uniform(0, 3)

    def shade(colours: RgbF32) -> RgbF32:
        height, width = colours.shape[:2]
        y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
        light: NDArray[np.float32] = 1 + 0.15 * np.sin(wave * x) * np.cos(wave * y)
        grain = rng.standard_normal(colours.shape, np.float32) * noise
        return np.asarray(colours * light[..., None] + grain, np.float32)

    return shade
