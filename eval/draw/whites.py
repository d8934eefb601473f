"""White parts on a white ground that belong to the subject: labels, screens, shirts, cartoons."""

from __future__ import annotations

import math

import numpy as np

from eval.draw.canvas import FONTS, Canvas, Colour, Drawing, compose, ellipse
from eval.draw.grounds import WHITE, plain, shaded
from eval.draw.inks import INKS, quality, size

SKINS: tuple[Colour, ...] = ((255, 222, 195), (205, 150, 110), (120, 80, 55))
BLACK: Colour = (0, 0, 0)


def label(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a bottle, jar or box with a white label on white."""
    width, height = size(rng)
    canvas = Canvas(width, height)
    colour = ((30, 90, 60), (110, 50, 30), (50, 50, 110), (220, 120, 40))[number % 4]
    ink = INKS[number % 3]
    if number % 3 == 0:
        canvas.box((-0.06, -0.45), (0.12, 0.25), colour, 0.02)
        canvas.box((-0.16, -0.25), (0.32, 0.7), colour, 0.06)
        canvas.box((-0.16, -0.08), (0.32, 0.3), WHITE)
        canvas.line([(-0.16, -0.08), (-0.16, 0.22)], colour, 0.008)
        canvas.line([(0.16, -0.08), (0.16, 0.22)], colour, 0.008)
    elif number % 3 == 1:
        canvas.box((-0.2, -0.38), (0.4, 0.1), tuple(c // 2 for c in colour), 0.02)
        canvas.box((-0.24, -0.28), (0.48, 0.66), colour, 0.06)
        canvas.disc((0, 0.05), (0.18, 0.18), WHITE)
    else:
        canvas.box((-0.36, -0.3), (0.72, 0.6), colour)
        canvas.box((-0.26, -0.16), (0.52, 0.32), WHITE, 0.02)
    canvas.text((0, 0.05), ("MILK", "No. 5", "TEA")[number // 3 % 3], ink, 0.09, FONTS[3])
    if number % 2:
        canvas.line([(-0.08, 0.12), (0.08, 0.12)], ink, 0.008)
    shade = shaded(rng, 0.25, 2) if number % 4 == 3 else None
    return compose(canvas, plain(width, height), quality(number), shade)


def screen(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a monitor, phone or laptop whose screen is white, on white."""
    width, height = size(rng)
    canvas = Canvas(width, height)
    bezel = ((25, 25, 28), (60, 62, 66), (190, 192, 196))[number % 3]
    if number % 3 == 0:
        canvas.box((-0.42, -0.36), (0.84, 0.52), bezel, 0.02)
        canvas.box((-0.39, -0.33), (0.78, 0.46), WHITE)
        canvas.area([(-0.06, 0.16), (0.06, 0.16), (0.08, 0.32), (-0.08, 0.32)], (150, 150, 155))
        canvas.box((-0.18, 0.31), (0.36, 0.03), (120, 120, 125), 0.01)
    elif number % 3 == 1:
        canvas.box((-0.22, -0.43), (0.44, 0.86), bezel, 0.05)
        canvas.box((-0.195, -0.37), (0.39, 0.72), WHITE, 0.01)
        canvas.disc((0, 0.39), (0.018, 0.018), (120, 120, 120))
    else:
        canvas.box((-0.36, -0.34), (0.72, 0.48), bezel, 0.02)
        canvas.box((-0.33, -0.31), (0.66, 0.41), WHITE)
        canvas.area([(-0.36, 0.14), (0.36, 0.14), (0.46, 0.28), (-0.46, 0.28)], (150, 152, 156))
    if number % 2:
        canvas.text((0, -0.1), "Hello", INKS[number % 4], 0.09, FONTS[0])
    return compose(canvas, plain(width, height), quality(number))


def shirt(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a white shirt on white: outlined, or shaded at its folds."""
    width, height = size(rng, 400)
    canvas = Canvas(width, height)
    outline = ((150, 150, 155), (40, 40, 45), (185, 185, 190))[number % 3]
    body = [(-0.12, -0.38), (0.12, -0.38), (0.26, -0.32), (0.42, -0.08), (0.3, 0.02), (0.23, -0.08)]
    body += [(0.23, 0.42), (-0.23, 0.42), (-0.23, -0.08), (-0.3, 0.02), (-0.42, -0.08)]
    body += [(-0.26, -0.32), (-0.12, -0.38)]
    inside: Colour = WHITE if number % 2 == 0 else (250, 250, 251)
    canvas.area(body, inside)
    pen = rng.uniform(0.005, 0.01)
    canvas.line(body, outline, pen)
    canvas.line(ellipse((0, -0.38), (0.12, 0.07))[:91], outline, pen)
    for k in range(number % 3 * 2):
        canvas.disc((0, -0.2 + 0.12 * k), (0.01, 0.01), outline)
    for x in (-0.23, 0.23):
        canvas.line([(x, -0.08), (x * 0.95, 0.1)], outline, pen)
    return compose(canvas, plain(width, height), quality(number))


def cartoon(number: int, rng: np.random.Generator) -> Drawing:
    """Draw an outlined figure in white clothes on white."""
    width, height = size(rng, 400)
    canvas = Canvas(max(width * 2 // 3, 200), max(height, width))
    pen, skin = rng.uniform(0.005, 0.009), SKINS[number % 3]
    if number % 3 == 2:  # a snowman
        for y, r in ((0.28, 0.2), (-0.02, 0.15), (-0.26, 0.11)):
            canvas.disc((0, y), (r, r), WHITE, BLACK, pen)
        canvas.box((-0.09, -0.46), (0.18, 0.12), BLACK)
        canvas.line([(-0.14, -0.345), (0.14, -0.345)], BLACK, 0.02)
        canvas.area([(0, -0.27), (0.09, -0.25), (0, -0.24)], (240, 130, 30))
        for y in (-0.08, 0, 0.08):
            canvas.disc((0, y), (0.012, 0.012), BLACK)
        canvas.line([(-0.1, -0.16), (0.1, -0.16)], (200, 30, 40), 0.035)
    else:
        for x in (-0.12, 0.04):
            canvas.box((x, 0.12), (0.08, 0.28), WHITE, 0, BLACK, pen)
            canvas.disc((x + 0.04, 0.42), (0.065, 0.03), (60, 60, 60), BLACK, pen)
        for x in (-0.25, 0.17):
            canvas.box((x, -0.14), (0.08, 0.24), WHITE, 0.01, BLACK, pen)
            canvas.disc((x + 0.04, 0.12), (0.035, 0.035), skin, BLACK, pen)
        canvas.box((-0.16, -0.16), (0.32, 0.3), WHITE, 0.02, BLACK, pen)
        canvas.disc((0, -0.29), (0.13, 0.14), skin, BLACK, pen)
        hair = [p for p in ellipse((0, -0.3), (0.145, 0.15)) if p[1] <= -0.3]
        canvas.area(hair, (90, 50, 25) if number % 2 else (30, 30, 30))
        for x in (-0.05, 0.05):
            canvas.disc((x, -0.27), (0.018, 0.022), BLACK)
        canvas.line([(-0.04, -0.2), (0, -0.185), (0.04, -0.2)], BLACK, pen)
        for y in (-0.06, 0.02) if number % 2 else ():
            canvas.disc((0, y), (0.01, 0.01), BLACK)
    return compose(canvas, plain(canvas.width, canvas.height), quality(number))


def illustration(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a flat picture of several colours without outlines."""
    width, height = size(rng)
    canvas = Canvas(width, height)
    ground = (WHITE, (214, 234, 248), (253, 235, 208))[number % 3]
    if number % 4 == 0:  # a cat's face with white eyes
        for side in (-1, 1):
            canvas.area(
                [(side * 0.3, -0.4), (side * 0.32, -0.05), (side * 0.08, -0.25)], (230, 140, 50)
            )
        canvas.disc((0, 0.05), (0.34, 0.31), (240, 150, 60))
        for x in (-0.13, 0.13):
            canvas.disc((x, 0), (0.07, 0.09), WHITE)
            canvas.disc((x, 0.02), (0.035, 0.05), (30, 30, 30))
        canvas.area([(-0.04, 0.14), (0.04, 0.14), (0, 0.19)], (200, 80, 90))
    elif number % 4 == 1:  # a tree
        canvas.box((-0.05, 0.05), (0.1, 0.38), (120, 80, 50))
        for x, y, r in ((0, -0.2, 0.2), (-0.15, -0.05, 0.16), (0.15, -0.05, 0.16)):
            canvas.disc((x, y), (r, r), (70, 150, 80) if x else (90, 170, 90))
        for k in range(5):
            at = (0.16 * math.cos(k * 1.3), -0.12 + 0.13 * math.sin(k * 2.1))
            canvas.disc(at, (0.025, 0.025), (210, 50, 50))
    elif number % 4 == 2:  # a car
        canvas.area([(-0.24, -0.02), (-0.14, -0.2), (0.14, -0.2), (0.26, -0.02)], (190, 40, 50))
        canvas.box((-0.42, -0.04), (0.84, 0.2), (210, 50, 60), 0.06)
        canvas.area([(-0.17, -0.04), (-0.11, -0.16), (0, -0.16), (0, -0.04)], (200, 225, 240))
        canvas.area([(0.03, -0.16), (0.11, -0.16), (0.19, -0.04), (0.03, -0.04)], (200, 225, 240))
        for x in (-0.24, 0.24):
            canvas.disc((x, 0.17), (0.1, 0.1), (40, 40, 45))
            canvas.disc((x, 0.17), (0.045, 0.045), (200, 200, 205))
    else:  # an envelope with a seal
        canvas.box((-0.38, -0.24), (0.76, 0.5), (235, 190, 110), 0.02)
        canvas.area([(-0.38, -0.24), (0, 0.08), (0.38, -0.24)], (215, 165, 85))
        canvas.disc((0, 0.06), (0.08, 0.08), (190, 40, 50))
        canvas.text((0, 0.06), "O", WHITE, 0.1, FONTS[1])
    return compose(canvas, plain(width, height, ground), quality(number))
