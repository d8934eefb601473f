"""`bgremove remove`: remove the backgrounds of pictures, in this process or on running services."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from bgremove.batch.records import STANDARD, Status
from bgremove.batch.targets import means_file
from bgremove.commands.computing import Services
from bgremove.commands.engine import Cluster
from bgremove.commands.help import manual
from bgremove.commands.report import Report
from bgremove.commands.stopping import Stop, stoppable
from bgremove.commands.work import Batch
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

EPILOG = manual(
    examples={
        "bgremove remove photo.jpg": "one picture; its cut-out is photo.cutout.png",
        "bgremove remove https://example.com/photo.jpg -o cutout.png": "a picture of a web server",
        "bgremove remove photos/ -o cutouts/": "a folder and those in it; again, to go on",
        "bgremove remove 'in/**/*.jpg' -o out/ --format white_bg": "a pattern, on white",
        "bgremove remove photos/ -o shop/ --format white_bg --canvas 2000x2000 --margin 8%": (
            "squares for a shop"
        ),
        "curl -s URL | bgremove remove - -o - > cutout.png": "in a pipe",
        "bgremove remove photos/ -o cutouts/ --json > log.jsonl": "a line of JSON a picture",
        "bgremove remove --watch incoming/ -o cutouts/": "whatever comes into a folder, for ever",
        "bgremove remove photos/ -o cutouts/ --server http://a:8000 --server http://b:8000": (
            "on two machines that run the service"
        ),
        "bgremove remove s3://a/in -o s3://a/out --engine dask --scheduler tcp://head:8786": (
            "a store, on a Dask cluster (docs/batch.md tells how to start one)"
        ),
    },
    exit_codes={
        0: "every picture is done, now or before",
        1: "some failed, or none could be begun",
        2: "wrong usage; nothing was done",
        130: "interrupted (143: terminated); what was begun is finished, run it again to go on",
    },
    environment={
        "BGREMOVE_API_KEY": "the key for --server, where the service asks for one",
        "BGREMOVE_MAX_UPLOAD_BYTES and others": "the settings, where no --server is given",
    },
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


@click.command("remove", epilog=EPILOG, short_help="Cut the subjects out of pictures.")
@click.argument("photos", metavar="PHOTO...", nargs=-1, required=True)
@click.option(
    "-o",
    "--output",
    metavar="OUT",
    help="A folder, a file for one picture, or - for standard output."
    "  [default: beside each picture: photo.cutout.png]",
)
@click.option(
    "--subject",
    type=_values(Subject),
    default="universal",
    show_default=True,
    help="What to look for.",
)
@click.option(
    "--format",
    "output_format",
    type=_values(OutputFormat),
    default="transparent",
    show_default=True,
    help="What to make.",
)
@click.option(
    "--background",
    type=Parsed(parse_background),
    metavar="COLOUR",
    help="Ground of white_bg: #rgb, #rrggbb or a CSS colour name.  [default: white]",
)
@click.option(
    "--margin",
    type=Parsed(parse_margin),
    metavar="SIZE",
    help="Space around the subject of crop, and of white_bg, which it crops: 8% or 40px.",
)
@click.option(
    "--canvas",
    type=Parsed(parse_canvas),
    metavar="WxH",
    help="Size of crop and white_bg in pixels, the subject centred, as large as fits.",
)
@click.option("--webp", is_flag=True, help="Write WebP, as for an OUT that ends in .webp.")
@click.option(
    "--white-format",
    type=click.Choice(["jpeg", "png"]),
    help="File type of white_bg.  [default: what the name of OUT says, else jpeg]",
)
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(1, 64),
    help="Pictures worked on at once.  [default: one a core, 2 to 8; with"
    " --server 4 for each; with --engine dask one worker process a core]",
)
@click.option(
    "--recursive/--no-recursive",
    default=True,
    show_default=True,
    help="Take what is in the folders of a folder as well.",
)
@click.option("--overwrite", is_flag=True, help="Do finished pictures again.")
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON a picture.")
@click.option("-q", "--quiet", is_flag=True, help="Tell only of failures, and the summary.")
@click.option("--watch", is_flag=True, help="Then wait for new pictures in the folders.")
@click.option(
    "--settle",
    type=click.FloatRange(0, 3600),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="With --watch: how long a picture must lie unchanged.",
)
@click.option(
    "--server",
    "servers",
    metavar="URL",
    multiple=True,
    help="Send to this service; again for several.",
)
@click.option(
    "--key-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with the key for --server.",
)
@click.option(
    "--engine",
    type=click.Choice(["local", "dask"]),
    default="local",
    show_default=True,
    help="What spreads the work: dask takes URLs (s3://, gs://) too.",
)
@click.option(
    "--scheduler",
    metavar="ADDRESS",
    help="With --engine dask: its cluster, tcp://HOST:8786.  [default: workers of this machine]",
)
@click.option(
    "--retry-for",
    type=click.FloatRange(0, 86_400),
    default=300.0,
    show_default=True,
    metavar="SECONDS",
    help="Give up when no service takes a picture, or no worker comes, for so long.",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    metavar="0..1",
    help="Fail a picture whose cut-out is less sure, and write nothing for it.",
)
@click.option("--offline", is_flag=True, help="Never fetch weights.")
def command(
    photos: tuple[str, ...],
    output: str | None,
    subject: str,
    output_format: str,
    background: Colour | None,
    margin: Margin | None,
    canvas: tuple[int, int] | None,
    webp: bool,
    white_format: str | None,
    jobs: int | None,
    recursive: bool,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
    watch: bool,
    settle: float,
    servers: tuple[str, ...],
    key_file: Path | None,
    engine: str,
    scheduler: str | None,
    retry_for: float,
    min_confidence: float | None,
    offline: bool,
) -> None:
    """Cut the subjects out of PHOTOs: files, folders, addresses, or - for standard input.

    Patterns such as 'in/**/*.jpg' are to be quoted.

    Below OUT, cut-outs keep the folders of their pictures, and their names: a.jpg gives a.png.
    Where a.jpg and a.png lie side by side, they give a.jpg.png and a.png.png.

    A picture whose cut-out is there and not older is skipped, so the same command goes on where it
    was interrupted. A cut-out appears under its name only when it is whole. A picture that fails is
    told of and does not stop the others.

    With --server, pictures are sent to running services in place of being computed here: to the
    least busy, and again where one has no place (for as long as its Retry-After asks), does not
    answer or dies.

    With --engine dask, the workers of a Dask cluster read, cut out and write; PHOTO and OUT are
    folders, files or patterns of any store that fsspec knows, and mean the same on every machine.
    """
    if webp and white_format is not None:
        raise click.UsageError("--webp and --white-format are two types for one file")
    made = OutputFormat(output_format)
    encoding = Encoding.WEBP if webp else _encoding(white_format, made, output)
    try:
        options = Options(Subject(subject), made, background, margin, canvas, encoding)
    except ValidationError as error:
        raise click.UsageError(error.message.replace("`", "")) from error
    services = Services(servers, key_file, retry_for, offline, min_confidence or 0.0)
    batch = Batch(photos, output, options, recursive, overwrite)
    if scheduler is not None or engine == "dask":
        if engine != "dask":
            raise click.UsageError("--scheduler is for --engine dask")
        if servers or watch or min_confidence or output is None:
            raise click.UsageError(
                "--engine dask needs --output, and goes without --server, --watch and"
                " --min-confidence"
            )
        if scheduler is not None and jobs is not None:
            raise click.UsageError("--jobs is for this machine; --scheduler has workers of its own")
        work = batch.on(Cluster(scheduler, jobs, retry_for))
    else:
        if output == STANDARD and (as_json or watch or sys.stdout.isatty()):
            raise click.UsageError(
                "-o - writes a picture: not to a terminal, not with --json or --watch"
            )
        work = batch.watched(settle, services, jobs) if watch else batch.once(services, jobs)
    with stoppable() as stop, Report(work.total, as_json=as_json, quiet=quiet) as report:
        for outcome in work.run(stop):
            report.add(outcome)
        if engine == "local":
            report.leave_out(batch.left_out())
    click.echo(report.summary(), err=True)
    sys.exit(_exit_code(report, stop))


def _encoding(
    white_format: str | None, output_format: OutputFormat, output: str | None
) -> Encoding | None:
    """Choose the file type by the suffix of the output, or by ``--white-format`` for white_bg."""
    is_white = output_format is OutputFormat.WHITE_BG
    if is_white and white_format is not None:
        return Encoding(white_format)
    suffix = Path(output).suffix.lower() if output is not None and means_file(output) else ""
    named = {".webp": Encoding.WEBP, ".png": Encoding.PNG}.get(suffix)
    return named if named in ENCODINGS[output_format] else None


def _exit_code(report: Report, stop: Stop) -> int:
    if stop.exit_code is not None:
        return stop.exit_code
    return 1 if report.counts[Status.FAILED] or report.left else 0
