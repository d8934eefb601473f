"""The result of the Python API: a cutout, converted to a picture, an array or a file on demand."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from bgremove.datatypes import ArrayF32, Box, Cut, EncodedImage, ImageU8
from bgremove.imaging.encode import encode, picture_of
from bgremove.options import Encoding, Options

if TYPE_CHECKING:
    import os


SUFFIXES = {
    ".png": Encoding.PNG,
    ".jpg": Encoding.JPEG,
    ".jpeg": Encoding.JPEG,
    ".webp": Encoding.WEBP,
}


class Result:
    """The result for one picture.

    The file is encoded on first use, and only once. Where ``error`` is set, every attribute that
    needs the cutout raises it.

    Attributes:
        source: The picture as it was given.
        error: The reason why there is no cutout, or None.

    """

    def __init__(
        self,
        cut: Cut | None,
        options: Options,
        *,
        source: object = None,
        error: Exception | None = None,
    ) -> None:
        self._cut = cut
        self._options = options
        self.source = source
        self.error = error

    @property
    def cut(self) -> Cut:
        """The cutout with its metadata; raises ``error`` where there is none."""
        if self._cut is None:
            raise self.error or RuntimeError("this result has neither a cutout nor an error")
        return self._cut

    @property
    def box(self) -> Box:
        """The subject's rectangle in the pixels of the source, upright."""
        return self.cut.cutout.box

    @property
    def alpha(self) -> ArrayF32:
        """The alpha matte of the whole source: float32 (H, W) in [0, 1], 1 is subject."""
        return self.cut.cutout.alpha

    @property
    def confidence(self) -> float:
        """The expected intersection over union with the true mask, in [0, 1]."""
        return self.cut.report.confidence

    @property
    def model(self) -> str:
        """The names of the weights that ran, joined by ``+``."""
        return self.cut.report.model

    @property
    def warnings(self) -> tuple[str, ...]:
        """The differences from the request, as the words of ``X-Warnings``."""
        return self.cut.report.warnings

    @cached_property
    def encoded(self) -> EncodedImage:
        """The encoded file as the service would send it, with its type and size."""
        return self._encode(self._options.file_type)

    @property
    def data(self) -> bytes:
        """The bytes of that file."""
        return self.encoded.data

    @property
    def content_type(self) -> str:
        """The media type of that file: ``image/png`` or ``image/jpeg``."""
        return self.encoded.content_type

    @cached_property
    def pixels(self) -> ImageU8:
        """The picture as uint8 in [0, 255], channels in RGB order.

        Straight RGBA (H, W, 4), RGB (H, W, 3) for ``white_bg``, or (H, W) for ``mask``.
        """
        with ThreadPoolExecutor(thread_name_prefix="compose") as executor:
            return picture_of(self.cut.cutout, self._options, executor)

    @property
    def rgba(self) -> ImageU8:
        """The picture as straight RGBA, uint8 (H, W, 4), in every format."""
        return np.asarray(self.image.convert("RGBA"))

    @property
    def image(self) -> Image.Image:
        """The picture as a PIL image: RGBA, RGB for ``white_bg``, L for ``mask``."""
        image = Image.fromarray(self.pixels)
        if profile := self.cut.cutout.icc_profile:
            image.info["icc_profile"] = profile
        return image

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        return self.pixels.shape[1], self.pixels.shape[0]

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture to a file and return its path.

        The suffix selects the file type where the format supports it: .png, .jpg, .webp.

        Raises:
            ValidationError: The format does not support the file type: JPEG has no transparency.
            OSError: The file cannot be written.

        """
        target = Path(path)
        encoding = SUFFIXES.get(target.suffix.lower(), self._options.file_type)
        data = self.data if encoding is self._options.file_type else self._encode(encoding).data
        target.write_bytes(data)
        return target

    def _encode(self, encoding: Encoding) -> EncodedImage:
        options = replace(self._options, encoding=encoding)
        with ThreadPoolExecutor(thread_name_prefix="encode") as executor:
            return encode(self.cut.cutout, options, executor)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Return `pixels`, for NumPy."""
        return np.array(self.pixels, dtype=dtype, copy=copy)

    def _repr_png_(self) -> bytes | None:
        """Show the cutout in a notebook."""
        if self.error is not None:
            return None
        file = io.BytesIO()
        self.image.save(file, "PNG")
        return file.getvalue()

    def __repr__(self) -> str:
        if self._cut is None:
            return f"<Result error={self.error!r}>"
        return f"<Result box={self.box} confidence={self.confidence:.2f} model={self.model!r}>"
