"""The frozen records of a batch: one picture's way, and its outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from bgremove.datatypes import Box
from bgremove.errors import BgremoveError, ErrorCode, NoSubjectError

STANDARD = "-"  # standard input or output, as a person writes it
# Codes that end a batch, because every picture after it would fare the same.
UNREACHABLE = "UNREACHABLE"  # in place of a code, where no service answers
FATAL = frozenset({UNREACHABLE, ErrorCode.UNAUTHORIZED, ErrorCode.NOT_READY})


@dataclass(frozen=True, slots=True)
class Record:
    """What is told of a picture beside its bytes; ``code`` and ``message`` say why it failed."""

    code: str | None = None
    message: str | None = None
    model: str | None = None
    confidence: float | None = None
    box: Box | None = None
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Result:
    """The bytes of a cut-out, empty where it failed, and what is told of it."""

    data: bytes
    record: Record


# Bytes of a picture in, its Result out. It never raises a BgremoveError.
Remover = Callable[[bytes], Result]


class Status(StrEnum):
    """What became of a picture."""

    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Outcome:
    """A picture that is dealt with: one line of ``--json``. ``ms`` includes reading and writing.

    ``source`` and ``target`` are paths or URLs as a person writes them.
    """

    source: str
    target: str
    status: Status
    ms: int = 0
    record: Record = Record()

    def fields(self) -> dict[str, Any]:
        """Return what the line of ``--json`` holds; a field that has no value is None."""
        record = asdict(self.record)
        record["warnings"] = list(self.record.warnings)
        names = {"input": self.source, "output": self.target}
        return names | {"status": self.status.value, "ms": self.ms} | record


@dataclass(frozen=True, slots=True)
class Job:
    """One picture: where it is read and where its cut-out goes; None is standard input or output.

    ``source``: a path, or the http or https address of a picture.
    ``may_skip``: leave it out where its cut-out is there already.
    ``since_ns``: a cut-out written before is of other options and does not count.
    """

    source: Path | str | None
    target: Path | None
    may_skip: bool = True
    since_ns: int = 0

    def outcome(self, status: Status, ms: int = 0, record: Record | None = None) -> Outcome:
        """Return what became of it."""
        return Outcome(name_of(self.source), name_of(self.target), status, ms, record or Record())


def name_of(path: Path | str | None) -> str:
    """Return a path as a person would write it."""
    return STANDARD if path is None else str(path)


def failure(error: BgremoveError) -> Record:
    """Return what is told of a picture that raised ``error``."""
    if isinstance(error, NoSubjectError):
        return Record(error.code, error.message, error.model, warnings=error.warnings)
    return Record(error.code, error.message)
