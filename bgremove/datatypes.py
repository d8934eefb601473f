"""The frozen records that pass between the parts of the pipeline.

Pixels are BGR uint8 unless a name says otherwise; alpha is float32 in [0, 1], straight.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Self

import numpy as np
from numpy.typing import NDArray

MASK_THRESHOLD = 0.5  # of alpha; the levels of `matting.refine` are tuned for this threshold

ImageU8 = NDArray[np.uint8]
ArrayF32 = NDArray[np.float32]


class Effort(StrEnum):
    """The number of networks that may run on a picture, set for the whole service."""

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"


class ImageType(StrEnum):
    """The accepted picture types, detected from the content."""

    JPEG = "JPEG"
    PNG = "PNG"
    BMP = "BMP"
    WEBP = "WEBP"
    GIF = "GIF"


class WarningCode(StrEnum):
    """The codes of ``X-Warnings``, with their meaning: how an answer differs from the request."""

    meaning: str

    FIRST_FRAME = "animation-first-frame", "of an animation, the first frame was used"
    PROFILE_IGNORED = (
        "colour-profile-ignored",
        "the colour profile could not be used; the picture was read as sRGB",
    )
    MODEL_FALLBACK = (
        "model-fallback",
        "the subject's own model is missing; the default model stood in for it",
    )
    NO_SECOND_OPINION = (
        "second-opinion-failed",
        "the second network failed; the first answered alone",
    )
    PIECES_DROPPED = "pieces-dropped", "a faint piece apart from the subject was left out"
    ALREADY_TRANSPARENT = (
        "already-transparent",
        "the picture was cut out already; its alpha is unchanged",
    )
    LOW_CONFIDENCE = (
        "low-confidence",
        "the cut-out is probably wrong; another subject may do better",
    )
    ENLARGED = "enlarged", "the canvas needs more pixels for the subject than the picture has"

    def __new__(cls, code: str, meaning: str) -> Self:
        """Make a member that is equal to its code."""
        member = str.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member


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
    """A rectangle in the pixels of the upright source.

    It unpacks to left, top, right and bottom, the order of PIL; right and bottom lie outside.
    """

    top: int
    left: int
    width: int
    height: int

    @property
    def right(self) -> int:
        """The first column to the right of the rectangle."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row below the rectangle."""
        return self.top + self.height

    def __iter__(self) -> Iterator[int]:
        """Yield left, top, right and bottom."""
        return iter((self.left, self.top, self.right, self.bottom))


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


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """The first frame of an animation, and its position on its canvas.

    ``canvas`` is (width, height) in pixels, ``place`` (left, top) on it, ``size`` (width, height)
    of the frame, which may extend beyond the canvas. ``still`` is a file with only this frame, its
    canvas of the frame's size. It holds colours, transparency and pixels, nothing else.
    """

    canvas: tuple[int, int]
    place: tuple[int, int]
    size: tuple[int, int]
    still: bytes


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """A decoded picture, upright.

    ``bgr``: uint8 (H, W, 3); colours under zero alpha are as stored.
    ``alpha``: float32 (H, W) in [0, 1], or None when the source is opaque.
    ``icc_profile``: the RGB profile of ``bgr``, which the answer carries; None means sRGB.
    ``warnings``: deviations while reading, as codes of ``X-Warnings``.
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
class Report:
    """The facts about a removal, for its headers and its line in the log.

    ``source_pixels`` is the size that the picture declares. ``model`` names the weights that ran,
    joined by ``+`` where there are several, or is ``none``. ``confidence`` in [0, 1] is the
    expected intersection over union of the mask with the true mask. ``warnings`` are codes of
    ``X-Warnings``.
    """

    source_pixels: int
    box: Box
    model: str
    confidence: float
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """A cutout before it is encoded, and the facts about it."""

    cutout: Cutout
    report: Report


@dataclass(frozen=True, slots=True)
class Removal(Report):
    """The answer to a request: the encoded picture, its facts, and milliseconds by stage."""

    image: EncodedImage
    stages_ms: dict[str, float]

    @classmethod
    def of(cls, report: Report, image: EncodedImage, stages_ms: dict[str, float]) -> Removal:
        """Return the answer with the facts of ``report``."""
        facts = report.source_pixels, report.box, report.model, report.confidence, report.warnings
        return cls(*facts, image, stages_ms)
