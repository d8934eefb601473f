"""Grounds: one colour, paper, studio walls, checkerboards; and shading for things on them."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from eval.draw.canvas import Colour, RgbF32

WHITE: Colour = (255, 255, 255)


def plain(width: int, height: int, colour: Colour = WHITE) -> RgbF32:
    """Return one exact colour, float32 (H, W, 3)."""
    return np.full((height, width, 3), colour, np.float32)


def paper(width: int, height: int, rng: np.random.Generator, noise: float = 0) -> RgbF32:
    """Return light paper: a gentle slope of light in any direction, and noise in levels."""
    turn, fall = rng.uniform(0, 2 * np.pi), rng.uniform(15, 40)
    y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
    slope = (x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn)
    tint = np.array(rng.uniform((225, 225, 215), (245, 243, 240)), np.float32)
    grain = rng.standard_normal((height, width, 1), np.float32) * noise
    return np.asarray(tint - fall * (slope[..., None] + 0.3) + grain, np.float32)


def gradient(width: int, height: int, first: Colour, second: Colour) -> RgbF32:
    """Return a gradient from one colour to another, from top to bottom."""
    share = np.linspace(0, 1, height, dtype=np.float32)[:, None, None]
    rows = np.array(first, np.float32) * (1 - share) + np.array(second, np.float32) * share
    return np.broadcast_to(rows, (height, width, 3)).copy()


def checkerboard(width: int, height: int, cell: float, dark: int = 204, light: int = 255) -> RgbF32:
    """Return squares of two greys, ``cell`` pixels wide, as painted to show transparency."""
    y, x = np.floor(np.arange(height) / cell), np.floor(np.arange(width) / cell)
    odd = (y[:, None] + x[None, :]) % 2
    grey = np.where(odd, dark, light).astype(np.float32)
    return np.repeat(grey[..., None], 3, axis=2)


def shaded(
    rng: np.random.Generator, strength: float = 0.35, noise: float = 3
) -> Callable[[RgbF32], RgbF32]:
    """Return a shading: light from one side over smooth dents, and noise in levels."""
    turn = rng.uniform(0, 2 * np.pi)

    def shade(colours: RgbF32) -> RgbF32:
        height, width = colours.shape[:2]
        y, x = np.mgrid[0 : 1 : height * 1j, 0 : 1 : width * 1j].astype(np.float32)
        dents = cv2.resize(
            rng.standard_normal((7, 7)).astype(np.float32),
            (width, height),
            interpolation=cv2.INTER_CUBIC,
        )
        light = 1 + strength * ((x - 0.5) * np.cos(turn) + (y - 0.5) * np.sin(turn) + 0.25 * dents)
        grain = rng.standard_normal(colours.shape, np.float32) * noise
        return np.asarray(colours * light[..., None] + grain, np.float32)

    return shade
