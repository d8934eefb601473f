"""Parsing of options, with the same words in the form, the command and the Python API."""

from __future__ import annotations

import re

from bgremove.datatypes import Colour, Margin, Options

HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
LENGTH = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?)(%|px)", re.ASCII)
CANVAS = re.compile(r"([0-9]{1,5})x([0-9]{1,5})", re.ASCII)
MAX_SHARE, MAX_PIXELS = 50, 2000  # of a margin: per cent and pixels
MIN_SIDE, MAX_SIDE = 16, 8000  # of a canvas, in pixels

BACKGROUND_WORDS = "a colour as #rgb or #rrggbb, or its CSS name, such as white"
MARGIN_WORDS = f"0% to {MAX_SHARE}% of the subject's longer side, or 0px to {MAX_PIXELS}px"
CANVAS_WORDS = f"WIDTHxHEIGHT in pixels, {MIN_SIDE} to {MAX_SIDE} a side, such as 2000x2000"


def parse_background(text: str) -> Colour:
    """Parse a colour; raises ValueError with a sentence where the text is not one."""
    found = HEX.fullmatch(text)
    digits = found[1] if found else _named(text)
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return Colour(*bytes.fromhex(digits))


def fields_of(options: Options) -> dict[str, str]:
    """Return the options that are set as the fields of a form.

    The file type is not included: clients request it with the Accept header.
    """
    fields = {"subject": options.subject.value, "output_format": options.output_format.value}
    if options.background is not None:
        fields["background"] = "#" + bytes(options.background).hex()
    if (margin := options.margin) is not None:
        share = f"{margin.share * 100:.4f}".rstrip("0").rstrip(".")
        fields["margin"] = f"{share}%" if margin.share else f"{margin.pixels}px"
    if options.canvas is not None:
        fields["canvas"] = "{}x{}".format(*options.canvas)
    return fields


def _named(text: str) -> str:
    from PIL import ImageColor  # imported here: few requests need it, and it costs a worker memory

    value = ImageColor.colormap.get(text.lower())
    if value is None:
        raise ValueError(f"Must be {BACKGROUND_WORDS}")
    # Pillow replaces the text of a name by three numbers once `getrgb` has read it.
    return value.removeprefix("#") if isinstance(value, str) else bytes(value).hex()


def parse_margin(text: str) -> Margin:
    """Parse a margin; raises ValueError with a sentence where it is invalid or over a limit."""
    found = LENGTH.fullmatch(text)
    if found is None:
        raise ValueError(f"Must be {MARGIN_WORDS}")
    number, unit = float(found[1]), found[2]
    if unit == "px" and not number.is_integer():
        raise ValueError("Must be whole pixels, or a share such as 8%")
    limit = MAX_SHARE if unit == "%" else MAX_PIXELS
    if number > limit:
        raise ValueError(f"Must be at most {limit}{unit}")
    return Margin(share=number / 100) if unit == "%" else Margin(pixels=int(number))


def parse_canvas(text: str) -> tuple[int, int]:
    """Parse a canvas as (width, height); raises ValueError with a sentence where it is invalid."""
    found = CANVAS.fullmatch(text.lower())
    if found is None:
        raise ValueError(f"Must be {CANVAS_WORDS}")
    size = int(found[1]), int(found[2])
    if min(size) < MIN_SIDE or max(size) > MAX_SIDE:
        raise ValueError(f"Must have {MIN_SIDE} to {MAX_SIDE} pixels a side")
    return size
