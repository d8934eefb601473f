"""Where the subject lies in its answer: the whole picture, its box with a margin, or a canvas."""

from __future__ import annotations

import math
from dataclasses import dataclass

from bgremove.datatypes import Box, Cutout, Options, OutputFormat
from bgremove.errors import Detail, ValidationError


@dataclass(frozen=True, slots=True)
class Placement:
    """A window on the picture, and the size at which it is drawn.

    ``left`` and ``top``: the window's corner in pixels of the picture, which it may exceed.
    ``scale``: pixels of the answer per pixel of the picture; at 1 the corner is whole.
    ``width`` and ``height``: of the answer in pixels.
    """

    left: float
    top: float
    scale: float
    width: int
    height: int


def place(cutout: Cutout, options: Options) -> Placement:
    """Choose the window for an answer.

    Args:
        cutout: the picture's size and the subject's box.
        options: format, margin and canvas.

    Raises:
        ValidationError: the margin leaves no room for the subject on the canvas.

    """
    box = cutout.box
    if options.canvas is not None:
        return _on_canvas(options.canvas, box, options)
    margin = round(options.margin.around(box))
    if options.output_format is OutputFormat.CROP or margin:
        width, height = box.width + 2 * margin, box.height + 2 * margin
        return Placement(box.left - margin, box.top - margin, 1.0, width, height)
    height, width = cutout.alpha.shape
    return Placement(0, 0, 1.0, width, height)


def check_canvas(options: Options, max_pixels: int) -> None:
    """Raise ValidationError for a canvas over the limit of pixels, or one filled by its margin."""
    if options.canvas is None:
        return
    width, height = options.canvas
    if width * height > max_pixels:
        raise _fault(
            "canvas",
            f"The canvas has {width * height:,} pixels ({width:,} x {height:,}), more than the "
            f"limit of {max_pixels:,}; ask for a smaller one",
        )
    margin = options.margin.pixels
    most = (min(width, height) - 1) // 2
    if margin > most:
        raise _fault(
            "margin",
            f"A margin of {margin:,} pixels on each side leaves no room for the subject on a "
            f"canvas of {width:,} x {height:,}; ask for at most {most}px",
        )


def _on_canvas(canvas: tuple[int, int], box: Box, options: Options) -> Placement:
    """Fit the box and its margin, centred: a share grows with the subject, pixels stay."""
    width, height = canvas
    margin = options.margin
    around = 2 * margin.share * max(box.width, box.height)
    room_across, room_down = width - 2 * margin.pixels, height - 2 * margin.pixels
    scale = min(room_across / (box.width + around), room_down / (box.height + around))
    if math.isclose(scale, 1.0):  # nothing to resample: the subject's pixels stay as they are
        beside, above = (width - box.width) // 2, (height - box.height) // 2
        return Placement(box.left - beside, box.top - above, 1.0, width, height)
    left = box.left + (box.width - width / scale) / 2
    top = box.top + (box.height - height / scale) / 2
    return Placement(left, top, scale, width, height)


def _fault(field: str, issue: str) -> ValidationError:
    return ValidationError(issue, details=(Detail(field, issue),))
