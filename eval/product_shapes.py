"""Outlines of products, with details that upsampled masks lose: thin parts, holes, straight edges.

Coordinates are in units of the picture's shorter side, with the origin in its middle and y down.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import cos, pi, sin
from typing import TYPE_CHECKING

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bgremove.datatypes import ImageU8

Point = tuple[float, float]
_SHIFT = 4  # bits of a pixel's fraction in OpenCV's coordinates


@dataclass(frozen=True, slots=True, eq=False)
class Pen:
    """Draws antialiased on ``mask``, uint8 (H, W), 255 where the thing is."""

    mask: ImageU8

    def line(self, points: Sequence[Point], width: float) -> None:
        """Draw a line through points."""
        path = [self._fixed(points)]
        cv2.polylines(self.mask, path, False, 255, self._px(width), cv2.LINE_AA, _SHIFT)

    def area(self, points: Sequence[Point], value: int = 255) -> None:
        """Fill a polygon; ``value`` 0 cuts it out."""
        cv2.fillPoly(self.mask, [self._fixed(points)], value, cv2.LINE_AA, _SHIFT)

    def ring(self, centre: Point, axes: Point, width: float) -> None:
        """Draw an ellipse's outline."""
        self.line([_on_ellipse(centre, axes, 2 * pi * k / 360) for k in range(361)], width)

    def disc(self, centre: Point, axes: Point, value: int = 255) -> None:
        """Fill an ellipse; ``value`` 0 cuts it out."""
        self.area([_on_ellipse(centre, axes, 2 * pi * k / 360) for k in range(360)], value)

    def _px(self, length: float) -> int:
        return max(1, round(length * float(min(self.mask.shape))))

    def _fixed(self, points: Sequence[Point]) -> NDArray[np.int32]:
        height, width = self.mask.shape
        pixels = np.array(points) * min(height, width) + (width / 2, height / 2)
        return np.asarray(np.rint(pixels * (1 << _SHIFT)), np.int32)


def wheel(pen: Pen, centre: Point = (0, 0), radius: float = 0.4) -> None:
    """Draw a tyre, rim, hub and 28 crossed spokes."""
    pen.ring(centre, (radius, radius), 0.08 * radius)
    pen.ring(centre, (0.9 * radius, 0.9 * radius), 0.03 * radius)
    pen.disc(centre, (0.07 * radius, 0.07 * radius))
    for k in range(28):
        turn = 2 * pi * k / 28
        lean = 0.5 if k % 2 else -0.5
        inner = _on_ellipse(centre, (0.07 * radius,) * 2, turn + lean)
        pen.line([inner, _on_ellipse(centre, (0.9 * radius,) * 2, turn)], 0.008 * radius + 0.0015)


def bicycle(pen: Pen) -> None:
    """Draw two wheels, a frame, saddle and handlebar."""
    rear, front, crank = (-0.35, 0.15), (0.35, 0.15), (-0.05, 0.17)
    seat, head = (-0.13, -0.15), 0.25
    wheel(pen, rear, 0.22)
    wheel(pen, front, 0.22)
    stem = (head, -0.14)
    for ends in ((rear, crank), (rear, seat), (crank, seat), (seat, stem), (crank, stem)):
        pen.line(ends, 0.016)
    pen.line([front, (head - 0.03, -0.2), (head - 0.09, -0.23), (head + 0.03, -0.25)], 0.014)
    pen.line([seat, (-0.145, -0.2)], 0.014)
    pen.disc((-0.15, -0.21), (0.07, 0.015))
    pen.ring(crank, (0.05, 0.05), 0.012)


def chair(pen: Pen) -> None:
    """Draw four legs, a seat and a back with slats."""
    for x, bottom in ((-0.2, 0.42), (0.2, 0.42), (-0.12, 0.34), (0.27, 0.34)):
        pen.line([(x, 0.05), (x, bottom)], 0.024)
    pen.area([(-0.23, 0.08), (0.22, 0.08), (0.3, -0.01), (-0.14, -0.01)])
    for x in (-0.12, 0.27):
        pen.line([(x, 0), (x + 0.02, -0.42)], 0.022)
    for k in range(7):
        pen.line([(-0.06 + 0.055 * k, 0), (-0.04 + 0.055 * k, -0.38)], 0.008)
    for y in (-0.39, -0.08):
        pen.line([(-0.11, y), (0.28, y)], 0.025)


def gate(pen: Pen) -> None:
    """Draw pointed bars between two rails."""
    for k in range(15):
        x = -0.42 + 0.06 * k
        pen.line([(x, -0.33), (x, 0.4)], 0.011)
        pen.area([(x - 0.014, -0.32), (x + 0.014, -0.32), (x, -0.4)])
    for y in (-0.25, 0.3):
        pen.line([(-0.46, y), (0.46, y)], 0.02)


def ladder(pen: Pen) -> None:
    """Draw two rails that lean together, and ten rungs."""
    for side in (-1, 1):
        pen.line([(0.2 * side, 0.43), (0.12 * side, -0.43)], 0.022)
    for k in range(10):
        y = 0.38 - 0.083 * k
        half = 0.16 + 0.0465 * y / 0.5
        pen.line([(-half, y), (half, y)], 0.014)


def glasses(pen: Pen) -> None:
    """Draw two rims without lenses, a bridge and temples."""
    for x in (-0.2, 0.2):
        pen.ring((x, 0.05), (0.16, 0.13), 0.012)
    pen.line([(-0.045, 0.02), (0, -0.01), (0.045, 0.02)], 0.01)
    for side in (-1, 1):
        pen.line([(0.36 * side, 0.03), (0.42 * side, -0.08), (0.3 * side, -0.18)], 0.012)


def racket(pen: Pen) -> None:
    """Draw a strung head, a throat and a handle."""
    centre, axes = (-0.12, -0.14), (0.22, 0.27)
    pen.ring(centre, axes, 0.022)
    for k in range(-9, 10):
        t = k / 10
        reach = (1 - t * t) ** 0.5
        x, y = centre[0] + t * axes[0], centre[1] + t * axes[1]
        pen.line([(x, centre[1] - reach * axes[1]), (x, centre[1] + reach * axes[1])], 0.0025)
        pen.line([(centre[0] - reach * axes[0], y), (centre[0] + reach * axes[0], y)], 0.0025)
    pen.line([(-0.2, 0.1), (-0.05, 0.25), (0.2, 0.42)], 0.018)
    pen.line([(-0.03, 0.11), (-0.05, 0.25)], 0.018)
    pen.line([(0.0, 0.285), (0.2, 0.42)], 0.035)


def basket(pen: Pen) -> None:
    """Draw a wire basket with a handle."""
    for k in range(15):
        t = -1 + k / 7
        pen.line([(0.38 * t, -0.1), (0.28 * t, 0.38)], 0.006)
    for k in range(9):
        half = 0.38 - 0.1 * k / 8
        pen.line([(-half, -0.1 + 0.06 * k), (half, -0.1 + 0.06 * k)], 0.006)
    pen.line([(-0.39, -0.1), (0.39, -0.1)], 0.02)
    pen.line([(-0.3, -0.1), (-0.26, -0.36), (0.26, -0.36), (0.3, -0.1)], 0.018)


def twigs(pen: Pen) -> None:
    """Draw a vase with bare branches."""
    pen.area([(-0.1, 0.42), (0.1, 0.42), (0.14, 0.2), (0.05, 0.1), (-0.05, 0.1), (-0.14, 0.2)])
    _branch(pen, (0, 0.12), -pi / 2, 0.2, 0.016, 5)


def mug(pen: Pen) -> None:
    """Draw a mug with a handle."""
    pen.area([(-0.3, -0.3), (0.16, -0.3), (0.12, 0.34), (-0.26, 0.34)])
    pen.disc((-0.07, 0.34), (0.19, 0.03))
    pen.disc((-0.07, -0.3), (0.23, 0.04))
    pen.ring((0.17, -0.02), (0.14, 0.17), 0.045)


def scissors(pen: Pen) -> None:
    """Draw open scissors."""
    for side in (-1, 1):
        pen.area([(0.02 * side, 0.02), (0.16 * side, -0.44), (-0.03 * side, -0.02)])
        pen.line([(0, 0), (-0.11 * side, 0.17)], 0.035)
        pen.ring((-0.15 * side, 0.27), (0.1, 0.13), 0.032)


def lamp(pen: Pen) -> None:
    """Draw a floor lamp: a thin stand under a shade."""
    pen.area([(-0.12, -0.42), (0.12, -0.42), (0.2, -0.16), (-0.2, -0.16)])
    pen.line([(0, -0.16), (0, 0.4)], 0.011)
    pen.disc((0, 0.41), (0.14, 0.022))
    pen.line([(0.06, -0.16), (0.06, -0.02)], 0.003)


SHAPES: tuple[Callable[[Pen], None], ...] = (
    wheel,
    bicycle,
    chair,
    gate,
    ladder,
    glasses,
    racket,
    basket,
    twigs,
    mug,
    scissors,
    lamp,
)


def _branch(pen: Pen, at: Point, way: float, length: float, width: float, forks: int) -> None:
    tip = (at[0] + length * cos(way), at[1] + length * sin(way))
    pen.line([at, tip], width)
    if forks:
        for turn in (-0.5, 0.13, 0.6):
            _branch(pen, tip, way + turn, 0.68 * length, 0.62 * width, forks - 1)


def _on_ellipse(centre: Point, axes: Point, angle: float) -> Point:
    return centre[0] + axes[0] * cos(angle), centre[1] + axes[1] * sin(angle)
