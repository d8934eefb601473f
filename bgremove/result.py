"""The result of the Python API: a cutout that becomes a picture, an array or a file when asked."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from bgremove.datatypes import ArrayF32, Box, EncodedImage, ImageU8, Options, OutputFormat
from bgremove.imaging.encode import encode

if TYPE_CHECKING:
    import os

    from bgremove.pipeline import Cut


class Result:
    """What became of one picture.

    Nothing is encoded until it is asked for, and then once. Where ``error`` is set, every other
    attribute that needs the cutout raises it.

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
        """The cutout with all that is known of it; raises ``error`` where there is none."""
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
        return self.cut.confidence

    @property
    def model(self) -> str:
        """The names of the weights that ran, joined by ``+``."""
        return self.cut.model

    @property
    def warnings(self) -> tuple[str, ...]:
        """What was done otherwise than asked: the words of ``X-Warnings``."""
        return self.cut.warnings

    @cached_property
    def encoded(self) -> EncodedImage:
        """The file that the service would answer, with its type and size."""
        with ThreadPoolExecutor(thread_name_prefix="encode") as executor:
            return encode(self.cut.cutout, self._options, executor)

    @property
    def data(self) -> bytes:
        """The bytes of that file."""
        return self.encoded.data

    @property
    def content_type(self) -> str:
        """The media type of that file: ``image/png`` or ``image/jpeg``."""
        return self.encoded.content_type

    @cached_property
    def image(self) -> Image.Image:
        """The picture as PIL has it: RGBA, RGB for ``white_bg``, L for ``mask``."""
        image = Image.open(io.BytesIO(self.data))
        image.load()
        if self._options.output_format is OutputFormat.MASK:
            return image
        # The file of a gray picture has one channel for its colours.
        is_white = self._options.output_format is OutputFormat.WHITE_BG
        return image.convert("RGB" if is_white else "RGBA")

    @property
    def rgba(self) -> ImageU8:
        """The picture as uint8 (H, W, 4) in [0, 255], RGB order, straight alpha."""
        return np.asarray(self.image.convert("RGBA"))

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the picture in pixels."""
        return self.encoded.width, self.encoded.height

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file of the picture and return its path."""
        target = Path(path)
        target.write_bytes(self.data)
        return target

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        """Return `rgba`, for NumPy."""
        return np.array(self.rgba, dtype=dtype, copy=copy)

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
