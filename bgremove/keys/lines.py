"""The key file, a line a key: ``ID DATE sha256:HEX LABEL``. The key itself is nowhere in it.

Empty lines and lines that start with ``#`` say nothing. A fault names its line and never quotes it:
somebody may have put a key there.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from bgremove.keys.ring import KeyRing, digest_of

PREFIX = "bgr_"  # lets scanners for leaked secrets, and our own log, know a key when they see one
KEY_BYTES = 32
MAX_FILE_BYTES = 1 << 20  # about 8,000 keys, which a request compares in about a millisecond
MAX_LABEL = 64
MAX_FAULTS_SAID = 5
PARTS = 4
ID = re.compile(r"[0-9a-f]{8}")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class FileFaultError(ValueError):
    """What is wrong with a file of keys or secrets, in words that quote nothing of it."""


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key as the file has it; ``number`` is the line's own, from 1."""

    id: str
    created: date
    digest: bytes
    label: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.id} {self.created} sha256:{self.digest.hex()} {self.label}"


def new_key(label: str, today: date, taken: frozenset[str]) -> tuple[str, KeyLine]:
    """Make a key that nobody has, and its line; ``taken`` are the ids in use."""
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    id_ = secrets.token_hex(4)
    while id_ in taken:
        id_ = secrets.token_hex(4)
    return key, KeyLine(id_, today, digest_of(key.encode("ascii")), label)


def label_fault(label: str) -> str | None:
    """Say what is wrong with a label, if anything."""
    if not label.strip() or label != label.strip():
        return "the label is empty or has spaces around it"
    if len(label) > MAX_LABEL:
        return f"the label has {len(label)} characters, more than the limit of {MAX_LABEL}"
    return None if label.isprintable() else "the label has characters that cannot be printed"


def read_lines(data: bytes) -> tuple[KeyLine, ...]:
    """Return the keys of a file. Raises FileFaultError with the faulty lines, all at once.

    A file without one byte is a fault, and no file without keys: it is what a full disk or an
    editor at work leaves.
    """
    if not data:
        raise FileFaultError("the file is empty; one without keys holds at least a comment")
    found: list[KeyLine] = []
    faults: list[str] = []
    seen: dict[object, int] = {}
    for number, text in _content(data):
        try:
            line = _parsed(text, number)
        except FileFaultError as fault:
            faults.append(f"line {number}: {fault}")
            continue
        for what, mark in (("id", line.id), ("hash", line.digest)):
            if (first := seen.setdefault(mark, number)) != number:
                faults.append(f"line {number}: the {what} of line {first} again")
        found.append(line)
    if faults:
        more = len(faults) - MAX_FAULTS_SAID
        said = faults[:MAX_FAULTS_SAID] + ([f"{more} more"] if more > 0 else [])
        raise FileFaultError("; ".join(said))
    return tuple(found)


def ring_of_keys(data: bytes) -> KeyRing:
    """Return who a key file lets in, named by their ids. Raises as `read_lines`."""
    return KeyRing(tuple((line.digest, line.id) for line in read_lines(data)))


def _content(data: bytes) -> Iterator[tuple[int, str]]:
    """Yield the lines that say something, with their numbers."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        number = data.count(b"\n", 0, error.start) + 1
        raise FileFaultError(f"line {number}: not UTF-8 text") from None
    for number, line in enumerate(text.split("\n"), 1):
        if (stripped := line.strip()) and not stripped.startswith("#"):
            yield number, stripped


def _parsed(text: str, number: int) -> KeyLine:
    if text.startswith(PREFIX):
        raise FileFaultError("a key itself, which must not lie here; take it out and revoke it")
    parts = text.split(maxsplit=PARTS - 1)
    if len(parts) != PARTS:
        raise FileFaultError(f"{len(parts)} parts, not {PARTS}: id, date, hash, label")
    id_, day, digest, label = parts
    if not ID.fullmatch(id_):
        raise FileFaultError("the id is not 8 digits of 0-9 and a-f")
    try:
        created = date.fromisoformat(day) if DAY.fullmatch(day) else None
    except ValueError:
        created = None
    if created is None:
        raise FileFaultError("the date is no day written as YYYY-MM-DD")
    if not (matched := DIGEST.fullmatch(digest)):
        raise FileFaultError("the hash is not sha256: and 64 digits of 0-9 and a-f")
    if fault := label_fault(label):
        raise FileFaultError(fault)
    return KeyLine(id_, created, bytes.fromhex(matched[1]), label, number)
