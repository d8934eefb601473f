"""The options of `bgremove remove`: their declaration, their values and their checks."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, fields
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import click

from bgremove.batch.records import STANDARD
from bgremove.batch.targets import means_file
from bgremove.errors import ValidationError
from bgremove.options import (
    ENCODINGS,
    FILE_TYPES,
    Colour,
    Encoding,
    Margin,
    Options,
    OutputFormat,
    Subject,
    parse_background,
    parse_canvas,
    parse_margin,
)


class Parsed(click.ParamType[Any]):
    """An option type whose parser is a function that raises ValueError with a message."""

    name = "text"

    def __init__(self, parse: Callable[[str], Any]) -> None:
        self.parse = parse

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the parsed value."""
        try:
            return self.parse(value)
        except ValueError as error:
            self.fail(f"{value!r}: {error}", param, ctx)


def _option(*names: str, **how: Any) -> Any:
    """Declare a field that click fills from an option."""
    return field(metadata={"declare": partial(click.option, *names, **how)})


def _choice(name: str, words: Iterable[str], text: str) -> Any:
    """Declare an option that takes one of a few words; the first is the default."""
    choices = [str(word) for word in words]
    return _option(
        name, type=click.Choice(choices), default=choices[0], show_default=True, help=text
    )


def _seconds(name: str, default: float, most: int, text: str) -> Any:
    """Declare an option that takes a time."""
    kind = click.FloatRange(0, most)
    return _option(
        name, type=kind, default=default, show_default=True, metavar="SECONDS", help=text
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The values of a call of `bgremove remove`; raises UsageError for those that clash.

    Each field declares its argument or option.
    """

    photos: tuple[str, ...] = field(
        metadata={
            "declare": partial(click.argument, metavar="PHOTO...", nargs=-1, required=True),
        }
    )
    output: str | None = _option(
        "-o",
        "--output",
        metavar="OUT",
        help="Output folder, or file for one picture, or - for standard output."
        "  [default: photo.cutout.png beside each picture]",
    )
    subject: str = _choice("--subject", Subject, "Kind of subject to keep.")
    output_format: str = _choice("--format", OutputFormat, "Kind of cut-out to write.")
    background: Colour | None = _option(
        "--background",
        type=Parsed(parse_background),
        metavar="COLOUR",
        help="Background of white_bg: #rgb, #rrggbb or a CSS colour name.  [default: white]",
    )
    margin: Margin | None = _option(
        "--margin",
        type=Parsed(parse_margin),
        metavar="SIZE",
        help="Space around the subject, such as 8% or 40px. For crop and white_bg.",
    )
    canvas: tuple[int, int] | None = _option(
        "--canvas",
        type=Parsed(parse_canvas),
        metavar="WxH",
        help="Size of the cut-out in pixels; the subject is centred in it. For crop and white_bg.",
    )
    webp: bool = _option(
        "--webp", is_flag=True, help="Write WebP. Same as an OUT that ends in .webp."
    )
    white_format: str | None = _option(
        "--white-format",
        type=click.Choice(["jpeg", "png"]),
        help="File type of white_bg.  [default: by the suffix of OUT, else jpeg]",
    )
    min_confidence: float = _option(
        "--min-confidence",
        type=click.FloatRange(0, 1),
        default=0.0,
        metavar="0..1",
        help="Fail pictures with a lower confidence, and do not write their cut-outs.",
    )
    recursive: bool = _option(
        "--recursive/--no-recursive",
        default=True,
        show_default=True,
        help="Search folders inside folders.",
    )
    overwrite: bool = _option("--overwrite", is_flag=True, help="Make finished cut-outs again.")
    watch: bool = _option("--watch", is_flag=True, help="Keep running and process new pictures.")
    settle: float = _seconds(
        "--settle", 1.0, 3600, "With --watch: how long a new picture must stay unchanged."
    )
    as_json: bool = _option("--json", is_flag=True, help="Print a line of JSON for each picture.")
    quiet: bool = _option(
        "-q", "--quiet", is_flag=True, help="Print failures and the summary only."
    )
    jobs: int | None = _option(
        "-j",
        "--jobs",
        type=click.IntRange(1, 64),
        help="Number of pictures processed at once.  [default: number of cores, from 2 to 8;"
        " 4 with --server]",
    )
    offline: bool = _option("--offline", is_flag=True, help="Never download models.")
    servers: tuple[str, ...] = _option(
        "--server", metavar="URL", multiple=True, help="Send pictures to this bgremove service."
    )
    key_file: Path | None = _option(
        "--key-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="With --server: file with the API key.",
    )
    engine: str = _choice(
        "--engine", ["local", "dask"], "Process pictures in this process, or on a Dask cluster."
    )
    scheduler: str | None = _option(
        "--scheduler",
        metavar="ADDRESS",
        help="With --engine dask: address of the scheduler, such as tcp://HOST:8786."
        "  [default: start workers on this machine]",
    )
    retry_for: float = _seconds(
        "--retry-for", 300.0, 86_400, "How long to try to reach the service or a worker."
    )

    def __post_init__(self) -> None:
        """Check that the values can be combined."""
        fault = self._fault() or self._server_fault() or self._dask_fault()
        if fault is not None:
            raise click.UsageError(fault)

    def _fault(self) -> str | None:
        if self.webp and self.white_format is not None:
            return "--webp and --white-format name two file types; give one of them"
        if self.output == STANDARD and (self.as_json or self.watch or sys.stdout.isatty()):
            return "-o - writes a picture: not to a terminal, not with --json or --watch"
        return None

    def _server_fault(self) -> str | None:
        if len(self.servers) > 1:
            return (
                "--server takes one address. For several machines, give the address of an nginx"
                " in front of them (docs/batch.md)"
            )
        if self.server is not None:
            parts = urlsplit(self.server)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
                return f"--server {self.server}: must be an address such as http://host:8000"
        elif self.key_file is not None:
            return "--key-file needs --server"
        return None

    def _dask_fault(self) -> str | None:
        if self.engine != "dask":
            return None if self.scheduler is None else "--scheduler needs --engine dask"
        if self.server is not None or self.watch:
            return "--engine dask cannot be combined with --server or --watch"
        if STANDARD in (self.output, *self.photos):
            return "--engine dask takes files, folders and addresses, not -"
        if self.scheduler is not None and self.jobs is not None:
            return "--jobs starts workers on this machine; --scheduler has workers of its own"
        return None

    @property
    def server(self) -> str | None:
        """The address of the service."""
        return self.servers[0] if self.servers else None

    def options(self) -> Options:
        """Return the options of the removal; raises UsageError."""
        made = OutputFormat(self.output_format)
        encoding = Encoding.WEBP if self.webp else self._encoding(made)
        try:
            return Options(
                Subject(self.subject), made, self.background, self.margin, self.canvas, encoding
            )
        except ValidationError as error:
            raise click.UsageError(error.message.replace("`", "")) from error

    def _encoding(self, made: OutputFormat) -> Encoding | None:
        """Choose the file type: by ``--white-format``, or by the suffix of the output."""
        if made is OutputFormat.WHITE_BG and self.white_format is not None:
            return Encoding(self.white_format)
        if self.output is None or not means_file(self.output):
            return None
        named = FILE_TYPES.get(PurePosixPath(self.output).suffix.lower())
        return named if named in ENCODINGS[made] else None


def with_parameters(command: Callable[..., None]) -> Callable[..., None]:
    """Declare the argument and options of `Given` on a function."""
    for row in reversed(fields(Given)):
        command = row.metadata["declare"](row.name)(command)
    return command
