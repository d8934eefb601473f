"""Placement of the subject in the output: the whole picture, its box with a margin, or a canvas.

The rules, for programs that compose the same pixels elsewhere:

- Box: the subject's bounding box in whole pixels of the picture, ``left``, ``top``, ``width``,
  ``height`` (``X-Foreground-*``). Its longer side is ``longer``.
- Neither margin nor canvas: `crop` is the box, `white_bg` the whole picture. Nothing is resampled.
- Margin without canvas: ``m = round(share * longer)`` or the requested pixels; a half rounds to
  even. The output is the window of the picture from ``left - m``, ``top - m``, with
  ``width + 2 m`` by ``height + 2 m`` pixels. Nothing is resampled.
- Canvas of W x H: a share scales with the subject, a margin in pixels is in canvas pixels. With
  ``a = 2 * share * longer`` (not rounded) and ``p`` pixels of margin,
  ``scale = min((W - 2 p) / (width + a), (H - 2 p) / (height + a))`` on both axes. The box's
  centre lies at the canvas's centre, to fractions of a pixel: the canvas's left edge is at
  ``left + (width - W / scale) / 2`` in the picture; the top edge likewise. At a scale of 1, pixels
  are not resampled, and the box is ``(W - width) // 2`` from the left; from the top likewise.
- A window or canvas shows every part of the cutout that it covers, not only the box. Beyond the
  picture it is transparent.
- Resampling (`compose`) works on premultiplied 8-bit colours, across and then down: Pillow's
  Hamming filter to shrink, its cubic filter to enlarge.
- On a ground (`layer.lay_on`): ``(colour * a + ground * (255 - a) + 127) // 255`` for each channel,
  ``a`` being the 8-bit alpha.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bgremove.datatypes import Box, Cutout, WarningCode
from bgremove.errors import Detail, ValidationError
from bgremove.options import Encoding, Margin, Options, OutputFormat

MARGIN_FACTOR = 2
WEBP_SIDE = 16_383  # px, limit of the format


@dataclass(frozen=True, slots=True)
class Placement:
    """A window on the picture and the size of the output.

    Attributes:
        left: The window's left edge in pixels of the picture; may lie outside the picture.
        top: The window's top edge, likewise.
        scale: Output pixels per picture pixel; at 1 the corner is in whole pixels.
        width: Width of the output in pixels.
        height: Height of the output in pixels.
    """

    left: float
    top: float
    scale: float
    width: int
    height: int

    @property
    def warnings(self) -> tuple[str, ...]:
        """The codes of ``X-Warnings`` for this placement."""
        return (WarningCode.ENLARGED,) if self.scale > 1 else ()


def place(cutout: Cutout, options: Options) -> Placement:
    """Choose the window for an output.

    Args:
        cutout: The cutout, with the picture's size and the subject's box.
        options: The options, with format, margin and canvas.

    Raises:
        ValidationError: The margin leaves no room for the subject on the canvas.

    """
    box = cutout.box
    if options.canvas is not None:
        return _on_canvas(options.canvas, box, options)
    if options.output_format is OutputFormat.CROP or options.margin is not None:
        margin = round((options.margin or Margin()).around(box))
        width, height = box.width + 2 * margin, box.height + 2 * margin
        return Placement(box.left - margin, box.top - margin, 1.0, width, height)
    height, width = cutout.alpha.shape
    return Placement(0, 0, 1.0, width, height)


def most_pixels(size: tuple[int, int], options: Options) -> int:
    """Return the most pixels that `place` can give a picture of a size, (width, height)."""
    width, height = options.canvas or size
    if options.canvas is None and options.margin is not None:
        margin = round(options.margin.around(Box(0, 0, width, height)))
        width, height = width + 2 * margin, height + 2 * margin
    return width * height


def check_canvas(options: Options, max_pixels: int) -> None:
    """Raise ValidationError for a canvas above the pixel limit or filled by its margin."""
    if options.canvas is None:
        return
    width, height = options.canvas
    if width * height > max_pixels:
        raise _fault(
            "canvas",
            f"The canvas has {width * height:,} pixels ({width:,} x {height:,}), more than the "
            f"limit of {max_pixels:,}; ask for a smaller one",
        )
    margin = options.margin.pixels if options.margin else 0
    most = (min(width, height) - 1) // 2
    if margin > most:
        raise _fault(
            "margin",
            f"A margin of {margin:,} pixels on each side leaves no room for the subject on a "
            f"canvas of {width:,} x {height:,}; ask for at most {most}px",
        )


def check_answer(placement: Placement, options: Options, max_pixels: int) -> None:
    """Raise ValidationError if a margin makes the output too large.

    Args:
        placement: The result of `place`.
        options: The options passed to `place`.
        max_pixels: The pixel limit of uploads. An output may have twice as many, so that a picture
            at the limit can have a margin; not as WebP, whose encoder takes three times the memory.

    """
    width, height = placement.width, placement.height
    limit = max_pixels if options.file_type is Encoding.WEBP else MARGIN_FACTOR * max_pixels
    if options.margin is not None and width * height > limit:
        raise _fault(
            "margin",
            f"With its margin the answer would have {width * height:,} pixels, more than the limit "
            f"of {limit:,}; ask for a smaller margin, or for a canvas",
        )
    if options.file_type is Encoding.WEBP and max(width, height) > WEBP_SIDE:
        raise _fault(
            "margin" if options.margin else "image",
            f"The answer would have {width:,} x {height:,} pixels, and WebP has at most "
            f"{WEBP_SIDE:,} a side; take image/png (Accept), or ask for a canvas",
        )


def _on_canvas(canvas: tuple[int, int], box: Box, options: Options) -> Placement:
    """Fit the box and its margin to the canvas, centred."""
    width, height = canvas
    margin = options.margin or Margin()
    around = 2 * margin.share * max(box.width, box.height)
    room_across, room_down = width - 2 * margin.pixels, height - 2 * margin.pixels
    scale = min(room_across / (box.width + around), room_down / (box.height + around))
    if math.isclose(scale, 1.0):  # no resampling: the subject's pixels are copied
        beside, above = (width - box.width) // 2, (height - box.height) // 2
        return Placement(box.left - beside, box.top - above, 1.0, width, height)
    left = box.left + (box.width - width / scale) / 2
    top = box.top + (box.height - height / scale) / 2
    return Placement(left, top, scale, width, height)


def _fault(field: str, issue: str) -> ValidationError:
    return ValidationError(issue, details=(Detail(field, issue),))
