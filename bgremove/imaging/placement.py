"""Where the subject lies in its answer: the whole picture, its box with a margin, or a canvas.

The rules, for whoever composes the same pixels elsewhere:

- Box: the subject's in whole pixels of the picture, ``left``, ``top``, ``width``, ``height``
  (``X-Foreground-*``). Its longer side is ``longer``.
- Neither margin nor canvas: `crop` is the box, `white_bg` the whole picture. Nothing is resampled.
- Margin without canvas: ``m = round(share * longer)`` or the pixels asked for; a half rounds to
  even. The answer is the window of the picture from ``left - m``, ``top - m``, with
  ``width + 2 m`` by ``height + 2 m`` pixels. Nothing is resampled.
- Canvas of W x H: a share grows with the subject, pixels are those of the canvas. With
  ``a = 2 * share * longer`` (not rounded) and ``p`` pixels of margin,
  ``scale = min((W - 2 p) / (width + a), (H - 2 p) / (height + a))``, the same both ways. The box's
  centre lies at the canvas's centre, to fractions of a pixel: the canvas's corner is at
  ``left + (width - W / scale) / 2`` in the picture, likewise above. Where the scale is 1, pixels
  stay as they are, and the box is ``(W - width) // 2`` from the left, likewise from the top.
- All of the cutout that a window or canvas reaches shows, not the box alone. Beyond the picture it
  is transparent.
- Resampled (`resample`) are premultiplied colours of 8 bits, across and then down: smaller with
  Pillow's Hamming filter, larger with its cubic one.
- On a ground (`layer.lay_on`): ``(colour * a + ground * (255 - a) + 127) // 255`` for each channel,
  ``a`` being the 8-bit alpha.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from bgremove.datatypes import Box, Cutout, Encoding, Margin, Options, OutputFormat
from bgremove.errors import Detail, ValidationError

MARGIN_FACTOR = 2
WEBP_SIDE = 16_383  # px: the format's own limit


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
    if options.output_format is OutputFormat.CROP or options.margin is not None:
        margin = round((options.margin or Margin()).around(box))
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
    margin = options.margin.pixels if options.margin else 0
    most = (min(width, height) - 1) // 2
    if margin > most:
        raise _fault(
            "margin",
            f"A margin of {margin:,} pixels on each side leaves no room for the subject on a "
            f"canvas of {width:,} x {height:,}; ask for at most {most}px",
        )


def check_answer(placement: Placement, options: Options, max_pixels: int) -> None:
    """Raise ValidationError where a margin makes the answer too large.

    Args:
        placement: as `place` returned it.
        options: those that it was made for.
        max_pixels: the limit of pictures. An answer may have twice as many, so that a picture at
            its limit can have a margin.

    """
    width, height = placement.width, placement.height
    limit = MARGIN_FACTOR * max_pixels
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
    """Fit the box and its margin, centred: a share grows with the subject, pixels stay."""
    width, height = canvas
    margin = options.margin or Margin()
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
