"""Download weights from a URL or a mirror, with the size of the manifest as the limit."""

from __future__ import annotations

import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import IO

from bgremove.download import NETWORK_ERRORS, Pace, open_paced, reason_of
from bgremove.errors import WeightsError
from bgremove.inference.models import Source, Weights
from bgremove.provisioning.progress import Progress

BLOCK = 1024 * 1024  # bytes copied between two steps of the progress bar
RANGE_NOT_SATISFIABLE = 416
GOES_ON = "the next attempt goes on from there"


def mirror_source(mirror: str, model: Weights) -> Source:
    """Return the source of ``model`` in a mirror, which is a folder or its URL."""
    if "://" not in mirror:
        mirror = Path(mirror).resolve().as_uri()
    return Source("url", url=f"{mirror.rstrip('/')}/{model.file}")


def from_url(source: Source, model: Weights, target: Path) -> None:
    """Download the file at a URL to ``target``, which may hold the first part of it."""
    have = target.stat().st_size if target.exists() else 0
    if have >= model.bytes:
        have = 0
    try:
        request = urllib.request.Request(source.url, headers={"Range": f"bytes={have}-"})  # noqa: S310 -- the scheme is the operator's choice
        answer = open_paced(request, Pace(model.bytes))
    except (*NETWORK_ERRORS, ValueError) as error:  # ValueError: not a URL
        if have and getattr(error, "code", None) == RANGE_NOT_SATISFIABLE:
            target.unlink()  # no shorter than the file at the URL, so part of another file
            from_url(source, model, target)
            return
        raise WeightsError(f"{source} does not answer: {reason_of(error)}") from error
    with answer:
        start = have if getattr(answer, "status", None) == 206 else 0
        announced = getattr(answer, "length", None)
        with Progress(model.file, model.bytes, start) as progress:
            blocks = _received(answer, source)
            received = write_weights(blocks, model, target, start, advance=progress.advance)
        if announced is not None and received < announced:
            raise WeightsError(f"{source} broke off; {GOES_ON}")


def _received(answer: IO[bytes], source: Source) -> Iterator[bytes]:
    """Yield received bytes; report network errors as faults of the source, not of the disk."""
    read = getattr(answer, "read1", answer.read)  # does not wait for a full block
    try:
        while block := read(BLOCK):
            yield block
    except NETWORK_ERRORS as error:
        raise WeightsError(f"{source} broke off ({reason_of(error)}); {GOES_ON}") from error


def write_weights(
    blocks: Iterable[bytes],
    model: Weights,
    target: Path,
    start: int = 0,
    advance: Callable[[int], None] = lambda count: None,
) -> int:
    """Write received bytes up to the manifest's size; return the number of bytes received.

    ``advance`` is called with the length of each block. Raises WeightsError if more bytes arrive.
    """
    count = 0
    with target.open("r+b" if start else "wb") as file:
        if start:
            file.truncate(start)
            file.seek(start)
        for block in blocks:
            count += len(block)
            if start + count > model.bytes:
                target.unlink()
                raise WeightsError(
                    f"{model.file} has more than the {model.bytes:,} bytes of the manifest"
                )
            file.write(block)
            advance(len(block))
    return count


def blocks_of(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the content of a file in blocks."""
    while block := file.read(BLOCK):
        yield block
