"""The frozen records of a batch: jobs, results and outcomes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from bgremove.datatypes import Box
from bgremove.errors import BgremoveError, ErrorCode, ImageError, NoSubjectError
from bgremove.settings import PREFIX, highest

STANDARD = "-"  # standard input or output, as written on a command line
# Codes that end a batch, because every later picture would fail in the same way.
UNREACHABLE = "UNREACHABLE"  # replaces an error code where no service answers
DISK_FULL = "DISK_FULL"
NOT_BGREMOVE = {f"HTTP_{status}" for status in (301, 302, 303, 307, 308, 404, 405)}
FATAL = frozenset({UNREACHABLE, DISK_FULL, ErrorCode.UNAUTHORIZED, ErrorCode.NOT_FOUND})
FATAL |= {ErrorCode.NOT_READY, *NOT_BGREMOVE}


@dataclass(frozen=True, slots=True)
class Record:
    """Facts about a processed picture; ``code`` and ``message`` give the reason of a failure."""

    code: str | None = None
    message: str | None = None
    model: str | None = None
    confidence: float | None = None
    box: Box | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The bytes of a cut-out, empty after a failure, and its record."""

    data: bytes
    record: Record


# Takes the bytes of a picture and returns its Result. Never raises a BgremoveError.
Remover = Callable[[bytes], Result]


class Status(StrEnum):
    """The final state of a picture."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A finished picture: one line of ``--json``. ``ms`` includes reading and writing.

    ``source`` and ``target`` are paths or URLs as written on a command line.
    """

    source: str
    target: str
    status: Status
    ms: int = 0
    record: Record = Record()

    def fields(self) -> dict[str, Any]:
        """Return the fields of the ``--json`` line; a field without a value is None."""
        record = asdict(self.record)
        record["warnings"] = list(self.record.warnings)
        names = {"input": self.source, "output": self.target}
        return names | {"status": self.status.value, "ms": self.ms} | record


@dataclass(frozen=True, slots=True)
class Job:
    """One picture and its cut-out.

    Attributes:
        source: The name of the picture: a path, a URL, or ``-`` for standard input.
        target: The name of its cut-out: a path, a URL, or ``-`` for standard output.
        is_finished: Whether the cut-out exists and is up to date.

    """

    source: str
    target: str
    is_finished: bool = False

    def outcome(self, status: Status, ms: int = 0, record: Record | None = None) -> Outcome:
        """Return the outcome of this job."""
        return Outcome(self.source, self.target, status, ms, record or Record())


def failure(error: BgremoveError) -> Record:
    """Return the record of a picture that raised ``error``."""
    if isinstance(error, NoSubjectError):
        return Record(error.code, error.message, error.model, warnings=error.warnings)
    message = error.message
    if isinstance(error, ImageError) and error.setting:
        name, most = PREFIX + error.setting.upper(), highest(error.setting)
        message += f"; {name} raises it, up to {most:,.0f}"
    return Record(error.code, message)
