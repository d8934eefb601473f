"""Choose where a batch is computed: in this process, or on running services."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

import click

from bgremove.batch.records import Result
from bgremove.commands.environment import prepare, read_key, read_settings
from bgremove.commands.stopping import Stop
from bgremove.errors import BgremoveError
from bgremove.options import Options

# Pictures in flight. Here: 4.3 pictures a second with one, 4.8 with two or with three, on 2 cores.
# A service has 2 places; more pictures are uploaded meanwhile.
LEAST_JOBS, MOST_JOBS = 2, 8
JOBS_A_SERVER = 4


class Computer(Protocol):
    """A Remover with a size limit and a close method."""

    @property
    def max_bytes(self) -> int:
        """The size limit of a picture, in bytes."""

    def __call__(self, image: bytes) -> Result:
        """Remove the background of a picture."""

    def close(self) -> None:
        """Release its resources."""


@dataclass(frozen=True, slots=True)
class Services:
    """Options of remote services; without ``urls``, pictures are computed in this process."""

    urls: tuple[str, ...]
    key_file: Path | None
    retry_for_s: float
    offline: bool = False
    min_confidence: float = 0.0

    def __post_init__(self) -> None:
        """Raise UsageError for an invalid URL, and for a key file without a URL."""
        for url in self.urls:
            parts = urlsplit(url)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
                raise click.UsageError(f"--server {url}: not like http://host:8000")
        if self.key_file is not None and not self.urls:
            raise click.UsageError("--key-file is for --server only")


@contextmanager
def computing(
    options: Options, services: Services, jobs: int | None, stop: Stop
) -> Iterator[tuple[Computer, int]]:
    """Provide the computer of a batch, and the number of pictures in flight.

    Raises ClickException for missing weights and invalid settings.
    """
    at_once = jobs or _jobs(services)
    computer = (
        _remote(options, services, at_once, stop)
        if services.urls
        else _local(options, services, at_once)
    )
    try:
        yield _Threshold(computer, services.min_confidence), at_once
    finally:
        computer.close()


@dataclass(frozen=True, slots=True)
class _Threshold:
    """A computer that fails pictures whose confidence is below ``least``."""

    computer: Computer
    least: float

    @property
    def max_bytes(self) -> int:
        return self.computer.max_bytes

    def __call__(self, image: bytes) -> Result:
        result = self.computer(image)
        confidence = result.record.confidence
        if confidence is None or confidence >= self.least:
            return result
        message = f"the confidence of {confidence:.2f} is below --min-confidence {self.least:g}"
        return Result(b"", replace(result.record, code="LOW_CONFIDENCE", message=message))

    def close(self) -> None:
        self.computer.close()


def _jobs(services: Services) -> int:
    if services.urls:
        return JOBS_A_SERVER * len(services.urls)
    from bgremove.machine import available_cpus

    return min(max(LEAST_JOBS, available_cpus()), MOST_JOBS)


def _local(options: Options, services: Services, at_once: int) -> Computer:
    from bgremove.batch.local import LocalRemover

    settings = read_settings()
    prepare(settings, offline=services.offline)
    remover = LocalRemover(replace(settings, places=min(at_once, 64)), options)
    try:
        remover.engine()
    except BgremoveError as error:
        raise click.ClickException(
            f"not ready: {error.message}. `bgremove weights` replaces damaged files,"
            " `bgremove doctor` reports more"
        ) from error
    return remover


def _remote(options: Options, services: Services, at_once: int, stop: Stop) -> Computer:
    from bgremove.batch.remote import RemoteRemover

    return RemoteRemover(
        services.urls,
        options,
        key=read_key(services.key_file),
        retry_for_s=services.retry_for_s,
        at_once=at_once,
        stop=stop,
    )
