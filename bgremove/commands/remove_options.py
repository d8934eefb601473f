"""The options of `bgremove remove`: their declaration, their values and their checks."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import click

from bgremove.batch.records import STANDARD
from bgremove.batch.targets import means_file
from bgremove.errors import ValidationError
from bgremove.options import (
    ENCODINGS,
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


def _values(kinds: type[Subject] | type[OutputFormat]) -> click.Choice[str]:
    return click.Choice([kind.value for kind in kinds])


PARAMETERS = [
    click.argument("photos", metavar="PHOTO...", nargs=-1, required=True),
    click.option(
        "-o",
        "--output",
        metavar="OUT",
        help="Output folder, or file for one picture, or - for standard output."
        "  [default: photo.cutout.png beside each picture]",
    ),
    click.option(
        "--subject",
        type=_values(Subject),
        default="universal",
        show_default=True,
        help="Kind of subject to keep.",
    ),
    click.option(
        "--format",
        "output_format",
        type=_values(OutputFormat),
        default="transparent",
        show_default=True,
        help="Kind of cut-out to write.",
    ),
    click.option(
        "--background",
        type=Parsed(parse_background),
        metavar="COLOUR",
        help="Background of white_bg: #rgb, #rrggbb or a CSS colour name.  [default: white]",
    ),
    click.option(
        "--margin",
        type=Parsed(parse_margin),
        metavar="SIZE",
        help="Space around the subject, such as 8% or 40px. For crop and white_bg.",
    ),
    click.option(
        "--canvas",
        type=Parsed(parse_canvas),
        metavar="WxH",
        help="Size of the cut-out in pixels; the subject is centred in it. For crop and white_bg.",
    ),
    click.option("--webp", is_flag=True, help="Write WebP. Same as an OUT that ends in .webp."),
    click.option(
        "--white-format",
        type=click.Choice(["jpeg", "png"]),
        help="File type of white_bg.  [default: by the suffix of OUT, else jpeg]",
    ),
    click.option(
        "--min-confidence",
        type=click.FloatRange(0, 1),
        default=0.0,
        metavar="0..1",
        help="Fail pictures with a lower confidence, and do not write their cut-outs.",
    ),
    click.option(
        "--recursive/--no-recursive",
        default=True,
        show_default=True,
        help="Search folders inside folders.",
    ),
    click.option("--overwrite", is_flag=True, help="Make finished cut-outs again."),
    click.option("--watch", is_flag=True, help="Keep running and process new pictures."),
    click.option(
        "--settle",
        type=click.FloatRange(0, 3600),
        default=1.0,
        show_default=True,
        metavar="SECONDS",
        help="With --watch: how long a new picture must stay unchanged.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for each picture."),
    click.option("-q", "--quiet", is_flag=True, help="Print failures and the summary only."),
    click.option(
        "-j",
        "--jobs",
        type=click.IntRange(1, 64),
        help="Number of pictures processed at once.  [default: number of cores, from 2 to 8;"
        " 4 with --server]",
    ),
    click.option("--offline", is_flag=True, help="Never download models."),
    click.option(
        "--server",
        "servers",
        metavar="URL",
        multiple=True,
        help="Send pictures to this bgremove service.",
    ),
    click.option(
        "--key-file",
        type=click.Path(dir_okay=False, path_type=Path),
        help="With --server: file with the API key.",
    ),
    click.option(
        "--engine",
        type=click.Choice(["local", "dask"]),
        default="local",
        show_default=True,
        help="Process pictures in this process, or on a Dask cluster.",
    ),
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="With --engine dask: address of the scheduler, such as tcp://HOST:8786."
        "  [default: start workers on this machine]",
    ),
    click.option(
        "--retry-for",
        type=click.FloatRange(0, 86_400),
        default=300.0,
        show_default=True,
        metavar="SECONDS",
        help="How long to try to reach the service or a worker.",
    ),
]


def with_parameters(command: Callable[..., None]) -> Callable[..., None]:
    """Declare the argument and options of `bgremove remove` on a function."""
    for declare in reversed(PARAMETERS):
        command = declare(command)
    return command


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The values of a call of `bgremove remove`; raises UsageError for those that clash."""

    photos: tuple[str, ...]
    output: str | None
    subject: str
    output_format: str
    background: Colour | None
    margin: Margin | None
    canvas: tuple[int, int] | None
    webp: bool
    white_format: str | None
    min_confidence: float
    recursive: bool
    overwrite: bool
    watch: bool
    settle: float
    as_json: bool
    quiet: bool
    jobs: int | None
    offline: bool
    servers: tuple[str, ...]
    key_file: Path | None
    engine: str
    scheduler: str | None
    retry_for: float

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
        suffix = PurePosixPath(self.output).suffix.lower()
        named = {".webp": Encoding.WEBP, ".png": Encoding.PNG}.get(suffix)
        return named if named in ENCODINGS[made] else None
