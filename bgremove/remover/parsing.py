"""The options of the Python API, spelt as in the HTTP interface."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import fields
from enum import StrEnum
from typing import Any, Literal, TypedDict

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
from bgremove.settings import Settings


class RemovalOptions(TypedDict, total=False):
    """The options of a removal, with the values of the HTTP interface.

    ``subject``: "universal", "human" or "product".
    ``format``: "transparent", "white_bg", "mask" or "crop".
    ``background``: the ground of "white_bg": "#rgb", "#rrggbb" or a CSS colour name.
    ``margin``: space around the subject, for "crop" and "white_bg": "8%" or "20px".
    ``canvas``: the size for "crop" and "white_bg": "2000x2000".
    ``encoding``: the file type: "png", "jpeg" or "webp".
    """

    subject: Literal["universal", "human", "product"]
    format: Literal["transparent", "white_bg", "mask", "crop"]
    background: str
    margin: str
    canvas: str
    encoding: Literal["png", "jpeg", "webp"]


# Words of the HTTP interface and of rembg, with their equivalents here.
_OTHER_WORDS = {
    "output_format": "it is called format here, such as format='white_bg'",
    "only_mask": "use format='mask'",
    "bgcolor": "use format='white_bg' with a colour, such as background='#ffffff'",
    "alpha_matting": "leave it out: edges are always refined",
    "post_process_mask": "leave it out: masks are always cleaned",
    "session": "leave it out: models stay loaded; a Remover ends them in a `with` block",
    "force_return_bytes": "leave it out: .data of the result has the bytes",
    "data": "give the picture as the first argument",
}


def parse_options(words: RemovalOptions) -> Options:
    """Parse the options in ``words``.

    Raises:
        ValidationError: A value is not one of its choices, or options cannot be combined.

    """
    values: dict[str, Any] = {}
    faults: list[Detail] = []
    for word, text in words.items():
        if word not in _READERS:
            faults.append(Detail(word, f"{word} is no option; {_advice(word)}"))
            continue
        field, read = _READERS[word]
        try:
            values[field] = read(str(text))
        except ValueError as error:
            faults.append(Detail(word, f"{word} is {text!r}: {error}"))
    if faults:
        raise ValidationError("; ".join(fault.issue for fault in faults), details=tuple(faults))
    return Options(**values)


def _advice(word: str) -> str:
    if word in _OTHER_WORDS:
        return _OTHER_WORDS[word]
    if word.startswith("alpha_matting"):
        return _OTHER_WORDS["alpha_matting"]
    if word in {row.name for row in fields(Settings)}:
        return f"it is a setting: Remover(settings=Settings({word}=...))"
    close = difflib.get_close_matches(word, _READERS, n=1)
    meant = f"did you mean {close[0]}? The options are" if close else "the options are"
    return f"{meant} {', '.join(_READERS)}"


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
