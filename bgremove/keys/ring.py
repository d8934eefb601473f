"""Keys and secrets as hashes, each with its name for the log, and the files that hold them.

The key file has one key per line: ``ID DATE sha256:HEX LABEL``. It never contains a key itself.
Empty lines and lines that start with ``#`` are ignored. The comment `END` as last line shows that
no part of the file is missing. An error names its line but never quotes it, because the line may
contain a key by mistake.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

GATEWAY = "rapidapi"  # name of the gateway in the log; no key has such an id
SECRET = re.compile(r"[!-+\--~]{16,256}")  # ASCII without spaces and commas, as in a header
PREFIX = "bgr_"  # lets secret scanners and bgremove's log recognise a key
KEY_BYTES = 32
MAX_FILE_BYTES = 1 << 20  # about 8,000 keys, compared in about a millisecond per request
MAX_LABEL = 64
MAX_FAULTS_SAID = 5
PARTS = 4
END = "# end of keys"
ID = re.compile(r"[0-9a-f]{8}")
DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
DIGEST = re.compile(r"sha256:([0-9a-f]{64})")


class FileFaultError(ValueError):
    """A fault of a file of keys or secrets. The message quotes nothing from the file."""


def digest_of(key: bytes) -> bytes:
    """Return a key's SHA-256, 32 bytes.

    A key is 256 random bits, so guessing is hopeless even with a fast hash. Slow, salted hashes are
    meant for passwords that people choose. Here they would add tens of milliseconds to every
    request, forged ones included, and no security.
    """
    return hashlib.sha256(key).digest()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Pairs of a key's SHA-256 and its name. An empty ring admits no request."""

    digests: tuple[tuple[bytes, str], ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.digests)

    def name_of(self, presented: bytes) -> str | None:
        """Return the name of the presented key, or None if it is unknown.

        All keys are compared, each in constant time, so the time reveals nothing about a key.
        """
        digest, found = digest_of(presented), None
        for known, name in self.digests:
            if hmac.compare_digest(known, digest):
                found = name
        return found


def ring_of_secret(secret: str) -> KeyRing:
    """Return a ring with one secret.

    Raises:
        FileFaultError: The text is not a valid secret.

    """
    if not SECRET.fullmatch(secret):
        raise FileFaultError("not a secret of 16 to 256 ASCII characters without spaces and commas")
    return KeyRing(((digest_of(secret.encode("ascii")), GATEWAY),))


def ring_of_secrets(data: bytes) -> KeyRing:
    """Return the secrets of a file, one per line.

    A file may hold two secrets while a new secret replaces an old one.

    Raises:
        FileFaultError: A line is faulty, or no line has a secret.

    """
    digests: list[tuple[bytes, str]] = []
    for number, line in enumerate(data.decode("latin-1").split("\n"), 1):
        text = line.strip()
        if not text or text.startswith("#"):
            continue
        try:
            digests += ring_of_secret(text).digests
        except FileFaultError as fault:
            raise FileFaultError(f"line {number}: {fault}") from None
    if not digests:
        raise FileFaultError("no line has a secret")
    return KeyRing(tuple(digests))


@dataclass(frozen=True, slots=True)
class KeyLine:
    """A key in the file. ``number`` is the line number, from 1."""

    id: str
    created: date
    digest: bytes
    label: str
    number: int = 0

    def __str__(self) -> str:
        return f"{self.id} {self.created} sha256:{self.digest.hex()} {self.label}"


def new_key(label: str, today: date, taken: frozenset[str]) -> tuple[str, KeyLine]:
    """Make a random key and its line. ``taken`` are the ids in use."""
    key = PREFIX + secrets.token_urlsafe(KEY_BYTES)
    id_ = secrets.token_hex(4)
    while id_ in taken:
        id_ = secrets.token_hex(4)
    return key, KeyLine(id_, today, digest_of(key.encode("ascii")), label)


def label_fault(label: str) -> str | None:
    """Return the fault of a label, or None."""
    if not label.strip() or label != label.strip():
        return "the label is empty or has spaces around it"
    if len(label) > MAX_LABEL:
        return f"the label has {len(label)} characters, more than the limit of {MAX_LABEL}"
    return None if label.isprintable() else "the label has characters that cannot be printed"


def read_lines(data: bytes) -> tuple[KeyLine, ...]:
    """Return the keys of a file.

    An empty file is a fault and not a file without keys, because a full disk or an editor may leave
    one.

    Raises:
        FileFaultError: The file is empty, or lines are faulty. The message names the first five.

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


def has_end(data: bytes) -> bool:
    """Return whether the file has the line that ends it."""
    return any(line.strip() == END.encode() for line in data.split(b"\n"))


def ring_of_keys(data: bytes) -> KeyRing:
    """Return the keys of a key file by id. Raises the errors of `read_lines`."""
    return KeyRing(tuple((line.digest, line.id) for line in read_lines(data)))


def _content(data: bytes) -> Iterator[tuple[int, str]]:
    """Yield the lines that are neither empty nor comments, with their numbers."""
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
