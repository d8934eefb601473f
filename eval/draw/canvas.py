"""A canvas that draws antialiased shapes with exact alpha, and the drawing made from it."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Point = tuple[float, float]
Colour = tuple[int, int, int]  # RGB
RgbF32 = NDArray[np.float32]
CLEAR = (0, 0, 0, 0)
ZOOM = 4  # enlargement of the canvas while drawing: 16 levels of antialiasing
_FONTS = Path(mpl.get_data_path()) / "fonts" / "ttf"
FONTS = (
    *("DejaVuSans.ttf", "DejaVuSans-Bold.ttf", "DejaVuSans-BoldOblique.ttf"),
    *("DejaVuSerif.ttf", "DejaVuSerif-BoldItalic.ttf", "DejaVuSansMono-Bold.ttf"),
    *("STIXGeneralBol.ttf", "STIXGeneralItalic.ttf", "cmb10.ttf", "cmss10.ttf"),
)


@cache
def font(name: str, px: int) -> ImageFont.FreeTypeFont:
    """Load one of the fonts that matplotlib ships."""
    return ImageFont.truetype(str(_FONTS / name), px)


@dataclass(slots=True, eq=False)
class Canvas:
    """Draws in units of the shorter side, with the origin in the middle and y down.

    Shapes are opaque; CLEAR erases. ``zoom`` 1 draws without antialiasing.
    """

    width: int
    height: int
    zoom: int = ZOOM
    _image: Image.Image = field(init=False)
    _pen: ImageDraw.ImageDraw = field(init=False)

    def __post_init__(self) -> None:
        self._image = Image.new("RGBA", (self.width * self.zoom, self.height * self.zoom), CLEAR)
        self._pen = ImageDraw.Draw(self._image)

    @property
    def unit(self) -> float:
        """The shorter side in pixels of the enlarged canvas."""
        return float(min(self.width, self.height) * self.zoom)

    def area(self, points: Sequence[Point], colour: tuple[int, ...]) -> None:
        """Fill a polygon."""
        self._pen.polygon([self._at(p) for p in points], fill=colour)

    def line(self, points: Sequence[Point], colour: tuple[int, ...], width: float) -> None:
        """Draw a line of ``width`` with round joints and ends through points."""
        px = max(float(self.zoom), width * self.unit)
        at = [self._at(p) for p in points]
        self._pen.line(at, fill=colour, width=round(px), joint="curve")
        for x, y in at:
            self._pen.ellipse((x - px / 2, y - px / 2, x + px / 2, y + px / 2), fill=colour)

    def disc(
        self,
        centre: Point,
        axes: Point,
        colour: tuple[int, ...],
        outline: tuple[int, ...] | None = None,
        width: float = 0,
    ) -> None:
        """Fill an ellipse; an outline lies inside its edge."""
        first = self._at((centre[0] - axes[0], centre[1] - axes[1]))
        last = self._at((centre[0] + axes[0], centre[1] + axes[1]))
        self._pen.ellipse([*first, *last], colour, outline, round(width * self.unit))

    def ring(self, centre: Point, axes: Point, colour: tuple[int, ...], width: float) -> None:
        """Draw an ellipse's outline, centred on the ellipse."""
        self.line(ellipse(centre, axes), colour, width)

    def box(
        self,
        corner: Point,
        size: Point,
        colour: tuple[int, ...],
        radius: float = 0,
        outline: tuple[int, ...] | None = None,
        width: float = 0,
    ) -> None:
        """Fill a rectangle with rounded corners; an outline lies inside its edge."""
        end = (corner[0] + size[0], corner[1] + size[1])
        self._pen.rounded_rectangle(
            [*self._at(corner), *self._at(end)],
            radius * self.unit,
            colour,
            outline,
            round(width * self.unit),
        )

    def text(
        self, centre: Point, text: str, colour: tuple[int, ...], height: float, face: str
    ) -> None:
        """Write text whose font size is ``height``, its middle at ``centre``."""
        self._pen.text(
            self._at(centre), text, colour, font(face, round(height * self.unit)), anchor="mm"
        )

    def text_width(self, text: str, height: float, face: str) -> float:
        """Return the width of a text."""
        return font(face, round(height * self.unit)).getlength(text) / self.unit

    def layers(self) -> tuple[RgbF32, NDArray[np.float32]]:
        """Return colours float32 (H, W, 3) in [0, 255] and alpha float32 (H, W) in [0, 1]."""
        small = self._image.resize((self.width, self.height), Image.Resampling.BOX)
        pixels = np.asarray(small, np.float32)
        return pixels[..., :3], pixels[..., 3] / np.float32(255)

    def _at(self, point: Point) -> Point:
        middle = self.width * self.zoom / 2, self.height * self.zoom / 2
        return middle[0] + point[0] * self.unit, middle[1] + point[1] * self.unit


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A picture and its true alpha.

    ``pixels`` is uint8 RGB (H, W, 3), or RGBA (H, W, 4) for pictures on transparency. ``alpha`` is
    float32 (H, W) in [0, 1]. ``quality`` is the JPEG quality; None stores a PNG.
    """

    pixels: NDArray[np.uint8]
    alpha: NDArray[np.float32]
    quality: int | None = None


Ground = Callable[[int, int, np.random.Generator], RgbF32]


def compose(
    canvas: Canvas,
    ground: RgbF32,
    quality: int | None = None,
    shade: Callable[[RgbF32], RgbF32] | None = None,
) -> Drawing:
    """Draw a canvas over a ground, float32 (H, W, 3), after ``shade`` has changed its colours."""
    colours, alpha = canvas.layers()
    if shade is not None:
        colours = shade(colours)
    mixed = colours * alpha[..., None] + ground * (1 - alpha[..., None])
    return Drawing(np.rint(mixed.clip(0, 255)).astype(np.uint8), alpha, quality)


def ellipse(centre: Point, axes: Point, steps: int = 180) -> list[Point]:
    """Return the points of an ellipse, closed."""
    turns = [2 * math.pi * k / steps for k in range(steps + 1)]
    return [(centre[0] + axes[0] * math.cos(t), centre[1] + axes[1] * math.sin(t)) for t in turns]
