"""The result of the Python API: a cutout, converted to a picture, an array or a file on demand."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Generic, overload

import numpy as np
from PIL import Image

from bgremove.datatypes import ArrayF32, Box, Cut, EncodedImage, ImageU8
from bgremove.errors import Detail, ValidationError
from bgremove.imaging.encode import encode, picture_of
from bgremove.options import FILE_TYPES, Encoding, Options

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    # With a default, `Result` alone is a type in strict code as well.
    Source_co = TypeVar("Source_co", covariant=True, default=Any)
else:
    from typing import TypeVar

    Source_co = TypeVar("Source_co", covariant=True)


def _type_named(name: str | None, path: Path | None = None) -> Encoding:
    """Return the file type called ``name``, else that of the suffix of ``path``."""
    suffix = path.suffix if name is None and path is not None else f".{name}"
    if suffix.lower() in FILE_TYPES:
        return FILE_TYPES[suffix.lower()]
    if name is not None:
        issue = f"The format is {name!r}; it has to be {', '.join(Encoding)}"
        raise ValidationError(issue, details=(Detail("format", issue),))
    ends = f"ends in {suffix}" if suffix else "has no suffix"
    issue = (
        f"{path} {ends}; end it in {', '.join(FILE_TYPES)}, or name the file type, such as"
        " format='png'"
    )
    raise ValidationError(issue, details=(Detail("file", issue),))


class Result(Generic[Source_co]):
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
        source: Source_co,
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
        """The differences from the request, as the codes of ``X-Warnings``."""
        return tuple(str(code) for code in self.cut.report.warnings)

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
        """The media type of that file: ``image/png``, ``image/jpeg`` or ``image/webp``."""
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

    @overload
    def save(self, file: str | os.PathLike[str], format: str | None = None) -> Path: ...

    @overload
    def save(self, file: BinaryIO, format: str | None = None) -> None: ...

    def save(
        self,
        file: str | os.PathLike[str] | BinaryIO,
        format: str | None = None,  # noqa: A002 - named as in PIL
    ) -> Path | None:
        """Write the picture to a path, which is returned, or to a binary file.

        Args:
            file: A path whose suffix names the file type, such as .jpg, or a file open for writing.
            format: The file type: png, jpeg or webp. None takes it from the suffix of a path; for
                a file, it is the type of `data`.

        Raises:
            ValidationError: The suffix or the format is unknown, or the picture cannot have it:
                JPEG has no transparency. Nothing is written.
            OSError: The file cannot be written.

        """
        if isinstance(file, str | os.PathLike):
            path = Path(file)
            path.write_bytes(self._encoded_as(_type_named(format, path)).data)
            return path
        if isinstance(file, io.TextIOBase):
            raise TypeError("the file is open as text; open it with mode 'wb'")
        kind = self._options.file_type if format is None else _type_named(format)
        file.write(self._encoded_as(kind).data)
        return None

    def _encoded_as(self, encoding: Encoding) -> EncodedImage:
        return self.encoded if encoding is self._options.file_type else self._encode(encoding)

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
