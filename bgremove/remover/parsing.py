"""The options of the Python API, spelt as in the HTTP interface."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any, TypedDict

from bgremove.errors import Detail, ValidationError
from bgremove.options import (
    Encoding,
    Options,
    OutputFormat,
    Subject,
    parse_background,
    parse_canvas,
    parse_margin,
)


class RemovalOptions(TypedDict, total=False):
    """The options of a removal, with the values of the HTTP interface.

    ``subject``: "universal", "human" or "product".
    ``format``: "transparent", "white_bg", "mask" or "crop".
    ``background``: the ground of "white_bg": "#rgb", "#rrggbb" or a CSS colour name.
    ``margin``: space around the subject, for "crop" and "white_bg": "8%" or "20px".
    ``canvas``: the size for "crop" and "white_bg": "2000x2000".
    ``encoding``: the file type: "png", "jpeg" or "webp".
    """

    subject: str
    format: str
    background: str
    margin: str
    canvas: str
    encoding: str


def parse_options(words: RemovalOptions) -> Options:
    """Parse the options in ``words``.

    Raises:
        ValidationError: A value is not one of its choices, or options cannot be combined.

    """
    values: dict[str, Any] = {}
    faults: list[Detail] = []
    for word, text in words.items():
        if word not in _READERS:
            faults.append(Detail(word, f"{word} is no option; there are {', '.join(_READERS)}"))
            continue
        field, read = _READERS[word]
        try:
            values[field] = read(str(text))
        except ValueError as error:
            faults.append(Detail(word, f"{word} is {text!r}: {error}"))
    if faults:
        raise ValidationError("; ".join(fault.issue for fault in faults), details=tuple(faults))
    return Options(**values)


def _choice(kind: type[StrEnum]) -> Callable[[str], StrEnum]:
    def read(word: str) -> StrEnum:
        if word not in list(kind):
            raise ValueError(f"Must be one of {', '.join(kind)}")
        return kind(word)

    return read


_READERS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "subject": ("subject", _choice(Subject)),
    "format": ("output_format", _choice(OutputFormat)),
    "background": ("background", parse_background),
    "margin": ("margin", parse_margin),
    "canvas": ("canvas", parse_canvas),
    "encoding": ("encoding", _choice(Encoding)),
}
