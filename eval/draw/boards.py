"""Pictures on a painted checkerboard, and pictures on true transparency."""

from __future__ import annotations

import cv2
import numpy as np
from skimage import data

from eval.draw.canvas import CLEAR, FONTS, Canvas, Drawing, RgbF32, compose
from eval.draw.grounds import WHITE, checkerboard, shaded
from eval.draw.inks import INKS, WORDS, quality, size


def board(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a stamp, a word, a ring, a white shirt or a photographed thing on a checkerboard."""
    width, height = size(rng)
    canvas = Canvas(width, height)
    ink = INKS[number % len(INKS)]
    shade = None
    kind = number % 6
    if kind == 0:
        canvas.ring((0, 0), (0.4 * min(1.4, width / height), 0.36), ink, 0.03)
        canvas.text((0, 0), "SAMPLE", ink, 0.17, FONTS[2])
    elif kind == 1:
        canvas.text((0, 0), WORDS[number % len(WORDS)][:5], ink, 0.3, FONTS[number % len(FONTS)])
    elif kind == 2:
        canvas.ring((0, 0), (0.3, 0.3), ink, 0.09)
        shade = shaded(rng)
    elif kind == 3:
        body = [(-0.12, -0.38), (0.12, -0.38), (0.42, -0.08), (0.3, 0.02), (0.23, -0.08)]
        body += [(0.23, 0.42), (-0.23, 0.42), (-0.23, -0.08), (-0.3, 0.02), (-0.42, -0.08)]
        canvas.area(body, (250, 250, 250))
        canvas.line([*body, body[0]], (90, 90, 95), 0.008)
    elif kind == 4:
        canvas.ring((0.2, 0), (0.14, 0.17), ink, 0.045)
        canvas.box((-0.28, -0.3), (0.46, 0.6), ink, 0.05)
        shade = shaded(rng)
    else:
        canvas.disc((0, 0), (0.36, 0.42), WHITE)
        shade = _printed
    cell = (8, 16, 10, 12.5, 20, 14)[number // 2 % 6]
    dark, light = ((204, 255), (191, 255), (230, 255), (102, 153))[number % 4]
    return compose(canvas, checkerboard(width, height, cell, dark, light), quality(number), shade)


def transparent(number: int, rng: np.random.Generator) -> Drawing:
    """Draw a logo or a thing that is already cut out."""
    width, height = size(rng)
    canvas = Canvas(width, height)
    ink = (*INKS, WHITE)[number % 7]
    if number % 2:
        canvas.disc((-0.1, -0.1), (0.22, 0.22), ink)
        canvas.disc((-0.1, -0.1), (0.12, 0.12), CLEAR)
    else:
        canvas.box((-0.3, -0.34), (0.6, 0.4), ink, 0.04)
        canvas.text((0, -0.14), "Ab", CLEAR, 0.25, FONTS[1])
    canvas.text((0, 0.2), WORDS[number % len(WORDS)][:6], ink, 0.16, FONTS[number % len(FONTS)])
    canvas.text((0, 0.36), "made by hand since 1987", ink, 0.045, FONTS[2])
    colours, alpha = canvas.layers()
    if number % 3 == 2:
        colours = shaded(rng)(colours)
    if number % 4 == 3:
        alpha = alpha * np.float32(0.8)
    alpha = np.asarray(np.rint(alpha * 255) / np.float32(255), np.float32)
    pixels = np.dstack((colours.clip(0, 255), alpha * 255))
    pixels[alpha == 0] = 0
    return Drawing(np.rint(pixels).astype(np.uint8), alpha)


def _printed(colours: RgbF32) -> RgbF32:
    """Replace the colours by a photograph, float32 (H, W, 3)."""
    shape = (colours.shape[1], colours.shape[0])
    photograph = cv2.resize(data.coffee(), shape, interpolation=cv2.INTER_AREA)
    return np.asarray(photograph, np.float32)
