"""The options of a removal, and their text in the form, the command and the Python API."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from bgremove.datatypes import Box
from bgremove.errors import Detail, ValidationError

HEX = re.compile(r"#([0-9a-f]{3}|[0-9a-f]{6})", re.IGNORECASE)
LENGTH = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,4})?)(%|px)", re.ASCII)
CANVAS = re.compile(r"([0-9]{1,5})x([0-9]{1,5})", re.ASCII)
MAX_SHARE, MAX_PIXELS = 50, 2000  # of a margin: per cent and pixels
MIN_SIDE, MAX_SIDE = 16, 8000  # of a canvas, in pixels

BACKGROUND_WORDS = "a colour as #rgb or #rrggbb, or its CSS name, such as white"
MARGIN_WORDS = f"0% to {MAX_SHARE}% of the subject's longer side, or 0px to {MAX_PIXELS}px"
CANVAS_WORDS = f"WIDTHxHEIGHT in pixels, {MIN_SIDE} to {MAX_SIDE} a side, such as 2000x2000"


class Subject(StrEnum):
    """The detection pipelines of the contract."""

    UNIVERSAL = "universal"
    HUMAN = "human"
    PRODUCT = "product"


class OutputFormat(StrEnum):
    """The output formats of the contract."""

    TRANSPARENT = "transparent"
    WHITE_BG = "white_bg"
    MASK = "mask"
    CROP = "crop"


class Encoding(StrEnum):
    """The file types of an answer, each spelt as the subtype of its media type."""

    PNG = "png"
    JPEG = "jpeg"
    WEBP = "webp"


# The file types that each format can have; the first is the default.
ENCODINGS = {
    OutputFormat.TRANSPARENT: (Encoding.PNG, Encoding.WEBP),
    OutputFormat.WHITE_BG: (Encoding.JPEG, Encoding.PNG, Encoding.WEBP),
    OutputFormat.MASK: (Encoding.PNG,),
    OutputFormat.CROP: (Encoding.PNG, Encoding.WEBP),
}

# The file type that the suffix of a name stands for.
FILE_TYPES = {
    ".png": Encoding.PNG,
    ".jpg": Encoding.JPEG,
    ".jpeg": Encoding.JPEG,
    ".jpe": Encoding.JPEG,
    ".jfif": Encoding.JPEG,
    ".webp": Encoding.WEBP,
}


class Colour(NamedTuple):
    """A colour in sRGB, or in the picture's own profile: 0 to 255 a channel."""

    red: int
    green: int
    blue: int


@dataclass(frozen=True, slots=True)
class Margin:
    """Space around the subject's box: a share of the box's longer side, or pixels of the answer."""

    share: float = 0.0
    pixels: int = 0

    def around(self, box: Box) -> float:
        """Return the margin of a box in pixels."""
        return self.pixels + self.share * max(box.width, box.height)


WHITE = Colour(255, 255, 255)


@dataclass(frozen=True, slots=True)
class Options:
    """The options of a removal, the same in every interface.

    Args:
        subject: the detection pipeline.
        output_format: the output format.
        background: the ground of ``white_bg``; None is white.
        margin: space around the subject's box, for ``crop`` and ``white_bg``, which is then cropped
            as well; None is none.
        canvas: (width, height) of the answer in pixels, for ``crop`` and ``white_bg``; None leaves
            the subject's scale as it is.
        encoding: the file type of the answer; None takes the default of the format.

    Raises:
        ValidationError: some options cannot be combined; the details list each.

    """

    subject: Subject = Subject.UNIVERSAL
    output_format: OutputFormat = OutputFormat.TRANSPARENT
    background: Colour | None = None
    margin: Margin | None = None
    canvas: tuple[int, int] | None = None
    encoding: Encoding | None = None

    def __post_init__(self) -> None:
        """Check that the options can be combined."""
        cropped = self.output_format in (OutputFormat.CROP, OutputFormat.WHITE_BG)
        faults = []
        if self.background is not None and self.output_format is not OutputFormat.WHITE_BG:
            faults.append(Detail("background", "`background` goes with `white_bg`"))
        if self.margin is not None and not cropped:
            faults.append(Detail("margin", "`margin` goes with `crop` and `white_bg`"))
        if self.canvas is not None and not cropped:
            faults.append(Detail("canvas", "`canvas` goes with `crop` and `white_bg`"))
        if self.file_type not in ENCODINGS[self.output_format]:
            issue = f"`{self.output_format}` cannot be a {self.file_type.upper()} file"
            faults.append(Detail("encoding", issue))
        if faults:
            raise ValidationError("; ".join(fault.issue for fault in faults), details=tuple(faults))

    @property
    def extras(self) -> tuple[str, ...]:
        """The options set beyond subject and format, for logs and memory estimates."""
        names = ("background", "margin", "canvas")
        given = tuple(name for name in names if getattr(self, name) is not None)
        return (*given, "webp") if self.file_type is Encoding.WEBP else given

    @property
    def ground(self) -> Colour:
        """The colour behind the subject of ``white_bg``."""
        return self.background or WHITE

    @property
    def file_type(self) -> Encoding:
        """The file type of the answer."""
        return self.encoding or ENCODINGS[self.output_format][0]

    @property
    def content_type(self) -> str:
        """The media type of the answer."""
        return f"image/{self.file_type}"

    @property
    def suffix(self) -> str:
        """The end of the answer's file name."""
        return ".jpg" if self.file_type is Encoding.JPEG else f".{self.file_type}"


def parse_background(text: str) -> Colour:
    """Parse a colour; raises ValueError with a sentence where the text is not one."""
    found = HEX.fullmatch(text)
    digits = found[1] if found else _named(text)
    if len(digits) == 3:
        digits = "".join(digit * 2 for digit in digits)
    return Colour(*bytes.fromhex(digits))


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
