"""The frozen records that pass between the parts of the pipeline.

Pixels are BGR uint8 unless a name says otherwise; alpha is float32 in [0, 1], straight.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bgremove.errors import Detail, ValidationError

MASK_THRESHOLD = 0.5  # of alpha; the levels of `matting.refine` are tuned for this threshold

ImageU8 = NDArray[np.uint8]
ArrayF32 = NDArray[np.float32]


class Subject(StrEnum):
    """The detection pipelines of the contract."""

    UNIVERSAL = "universal"
    HUMAN = "human"
    PRODUCT = "product"


class Effort(StrEnum):
    """The number of networks that may run on a picture, set for the whole service."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


class OutputFormat(StrEnum):
    """The output formats of the contract."""

    TRANSPARENT = "transparent"
    WHITE_BG = "white_bg"
    MASK = "mask"
    CROP = "crop"


class ImageType(StrEnum):
    """The accepted picture types, detected from the content."""

    JPEG = "JPEG"
    PNG = "PNG"
    BMP = "BMP"
    WEBP = "WEBP"
    GIF = "GIF"


class Notice(StrEnum):
    """The words of ``X-Warnings``: the ways in which an answer differs from the request."""

    FIRST_FRAME = "animation-first-frame"
    PROFILE_IGNORED = "colour-profile-ignored"
    MODEL_FALLBACK = "model-fallback"
    NO_SECOND_OPINION = "second-opinion-failed"
    ALREADY_TRANSPARENT = "already-transparent"
    PIECES_DROPPED = "pieces-dropped"
    LOW_CONFIDENCE = "low-confidence"
    ENLARGED = "enlarged"


@dataclass(frozen=True, slots=True, eq=False)
class People:
    """Bodies and faces in a picture, best first.

    ``bodies`` and ``faces``: float32 (N, 4), top, left, bottom and right as fractions of the
    picture. ``body_scores`` and ``face_scores``: float32 (N,) in [0, 1]. ``body`` and ``face``: the
    best score, even where it is too low for a box.
    """

    bodies: ArrayF32
    body_scores: ArrayF32
    faces: ArrayF32
    face_scores: ArrayF32
    body: float
    face: float


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the pixels of the upright source."""

    top: int
    left: int
    width: int
    height: int


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


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """The metadata of a picture, read without decoding it.

    ``width`` and ``height`` are as stored, before ``orientation`` (EXIF, 1 to 8) is applied.
    ``frames`` is 1 for a still picture and at least 2 for an animation. A JPEG may be decoded
    smaller: ``reduction`` is the divisor of its sides, 1, 2, 4 or 8. ``density`` is the
    pixels a metre (across, down), after orientation; None where the picture declares none.
    """

    type: ImageType
    width: int
    height: int
    frames: int = 1
    orientation: int = 1
    icc_profile: bytes | None = None
    reduction: int = 1
    density: tuple[int, int] | None = None

    @property
    def pixels(self) -> int:
        """The number of pixels declared."""
        return self.width * self.height

    @property
    def size(self) -> tuple[int, int]:
        """Width and height after orientation."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    @property
    def decoded_size(self) -> tuple[int, int]:
        """Width and height of the decoded pixels after orientation, rounded up."""
        width, height = self.size
        return -(-width // self.reduction), -(-height // self.reduction)


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """A decoded picture, upright.

    ``bgr``: uint8 (H, W, 3); colours under zero alpha are as stored.
    ``alpha``: float32 (H, W) in [0, 1], or None when the source is opaque.
    ``icc_profile``: the RGB profile of ``bgr``, which the answer carries; None means sRGB.
    ``warnings``: deviations while reading, as words of ``X-Warnings``.
    """

    bgr: ImageU8
    alpha: ArrayF32 | None = None
    icc_profile: bytes | None = None
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.bgr.shape[1], self.bgr.shape[0]


@dataclass(frozen=True, slots=True, eq=False)
class Matte:
    """The alpha matte of an answer, at the full size of the source.

    ``alpha``: float32 (H, W) in [0, 1]: ``drawn``, times the source's own alpha where it has one.
    ``drawn``: float32 (H, W) in [0, 1], the matte drawn from the networks' map.
    ``box``: the subject's box.
    ``misses_piece``: a faint piece separate from the subject was cleared.
    """

    alpha: ArrayF32
    drawn: ArrayF32
    box: Box
    misses_piece: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """The subject: ``bgr`` uint8 (H, W, 3), ``alpha`` float32 (H, W) in [0, 1], straight.

    ``density`` is in pixels a metre (across, down).
    """

    bgr: ImageU8
    alpha: ArrayF32
    box: Box
    icc_profile: bytes | None = None
    density: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An encoded picture and its size in pixels."""

    data: bytes
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Removal:
    """The answer to a request, with the values of its headers and log line.

    ``model`` names the weights that ran, joined by ``+`` where there are several. ``confidence`` in
    [0, 1] is the expected intersection over union of the mask with the true mask.
    """

    image: EncodedImage
    source_pixels: int
    box: Box
    model: str
    confidence: float
    warnings: tuple[str, ...]
    stages_ms: dict[str, float]
