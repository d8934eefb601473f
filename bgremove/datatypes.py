"""The frozen records that a request is handed through the rooms as.

Pixels are BGR uint8 unless a name says otherwise; alpha is float32 in [0, 1], straight.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

ImageU8 = NDArray[np.uint8]
ArrayF32 = NDArray[np.float32]


class Subject(StrEnum):
    """The detection pipelines of the contract."""

    UNIVERSAL = "universal"
    HUMAN = "human"
    PRODUCT = "product"


class OutputFormat(StrEnum):
    """The kinds of answer of the contract."""

    TRANSPARENT = "transparent"
    WHITE_BG = "white_bg"
    MASK = "mask"
    CROP = "crop"


class ImageType(StrEnum):
    """The picture types that are let in, decided by content."""

    JPEG = "JPEG"
    PNG = "PNG"
    BMP = "BMP"
    WEBP = "WEBP"
    GIF = "GIF"


class WhiteFormat(StrEnum):
    """The encoding of a ``white_bg`` answer."""

    JPEG = "jpeg"
    PNG = "png"


@dataclass(frozen=True, slots=True)
class RemovalRequest:
    """A validated request: the uploaded bytes and what is wanted of them."""

    image: bytes
    subject: Subject = Subject.UNIVERSAL
    output_format: OutputFormat = OutputFormat.TRANSPARENT
    white_format: WhiteFormat = WhiteFormat.JPEG


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """What a picture declares about itself, read without decoding it.

    ``width`` and ``height`` are as stored, before ``orientation`` (EXIF, 1 to 8) is applied.
    ``frames`` is 1 for a still picture and at least 2 for an animation. A JPEG may be decoded
    smaller: ``reduction`` is 1, 2, 4 or 8, by which its sides are divided.
    """

    type: ImageType
    width: int
    height: int
    frames: int = 1
    orientation: int = 1
    icc_profile: bytes | None = None
    reduction: int = 1

    @property
    def pixels(self) -> int:
        """The number of pixels declared."""
        return self.width * self.height

    @property
    def size(self) -> tuple[int, int]:
        """Width and height the right way up."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    @property
    def decoded_size(self) -> tuple[int, int]:
        """Width and height of the pixels decoded, the right way up; a part of one counts whole."""
        width, height = self.size
        return -(-width // self.reduction), -(-height // self.reduction)


@dataclass(frozen=True, slots=True, eq=False)
class DecodedImage:
    """A picture the right way up.

    ``bgr``: uint8 (H, W, 3), the colours under zero alpha included as stored.
    ``alpha``: float32 (H, W) in [0, 1], or None when the source is opaque.
    ``icc_profile``: an RGB profile that ``bgr`` is in, to be carried; None means sRGB.
    ``warnings``: what was bent while reading, words of ``X-Warnings``.
    """

    bgr: ImageU8
    alpha: ArrayF32 | None = None
    icc_profile: bytes | None = None
    warnings: tuple[str, ...] = ()

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) in pixels."""
        return self.bgr.shape[1], self.bgr.shape[0]


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle in the source's pixels, as a person sees it."""

    top: int
    left: int
    width: int
    height: int


@dataclass(frozen=True, slots=True, eq=False)
class Cutout:
    """The subject: ``bgr`` uint8 (H, W, 3), ``alpha`` float32 (H, W) in [0, 1], straight."""

    bgr: ImageU8
    alpha: ArrayF32
    box: Box
    icc_profile: bytes | None = None


@dataclass(frozen=True, slots=True)
class EncodedImage:
    """An encoded picture and its size in pixels."""

    data: bytes
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Removal:
    """The answer to a RemovalRequest, with all that its headers and log line say.

    ``model`` names the weights that ran, joined by ``+`` where two did. ``confidence`` in [0, 1] is
    the intersection over union that the mask is expected to have with the true one.
    """

    image: EncodedImage
    source_pixels: int
    box: Box
    model: str
    confidence: float
    warnings: tuple[str, ...]
    stages_ms: dict[str, float]
