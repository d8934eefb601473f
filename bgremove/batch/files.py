"""Read pictures and write cut-outs; a partly written file never appears under its final name."""

from __future__ import annotations

import os
import sys
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, cast

from bgremove.batch.records import Job
from bgremove.errors import ImageError

CHUNK_BYTES = 1024 * 1024
MOST_COUNTED = 1 << 30  # bytes read to report the size of a file; a device is endless
FETCH_TIMEOUT_S = 30.0  # for connecting, and for each read


def read(source: Path | str | None, max_bytes: int) -> bytes:
    """Return the bytes of a picture: a path, an http or https URL, or None for standard input.

    Holds at most ``max_bytes`` in memory. Raises ImageError for a larger picture, and OSError.
    """
    if source is None:
        return read_within(sys.stdin.buffer, max_bytes)
    if isinstance(source, str):
        return _fetch(source, max_bytes)
    with source.open("rb") as file:
        return read_within(file, max_bytes)


def _fetch(url: str, max_bytes: int) -> bytes:
    import urllib3

    try:
        with urllib3.PoolManager() as pool:
            answer = pool.request("GET", url, timeout=FETCH_TIMEOUT_S, preload_content=False)
            if answer.status != HTTPStatus.OK:
                raise OSError(None, f"the server answered {answer.status} {answer.reason or ''}")
            return read_within(cast("BinaryIO", answer), max_bytes)
    except urllib3.exceptions.HTTPError as error:
        reason = getattr(error, "reason", None) or error
        raise OSError(None, str(reason).rpartition(": ")[2]) from error


def read_within(file: BinaryIO, max_bytes: int) -> bytes:
    """Return the content of a file; raises ImageError above ``max_bytes``, and OSError."""
    data = file.read(max_bytes + 1)
    if len(data) <= max_bytes:
        return data
    size = len(data)
    while (chunk := file.read(CHUNK_BYTES)) and size < MOST_COUNTED:
        size += len(chunk)
    raise ImageError(f"The file has {size:,} bytes, more than the limit of {max_bytes:,}")


def write(target: Path | None, data: bytes) -> None:
    """Write a cut-out atomically.

    The data goes into a hidden ``.part`` file in the same folder, which is then renamed. A run that
    is killed leaves at most this hidden file. Raises OSError.
    """
    if target is None:
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{target.name}.{os.getpid()}.part")
    try:
        part.write_bytes(data)
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def is_finished(job: Job) -> bool:
    """Return whether an up-to-date cut-out of these options exists."""
    if job.target is None or job.source is None:
        return False
    try:
        target = job.target.stat()
        changed_ns = 0 if isinstance(job.source, str) else job.source.stat().st_mtime_ns
    except OSError:
        return False
    return target.st_size > 0 and target.st_mtime_ns >= max(changed_ns, job.since_ns)
