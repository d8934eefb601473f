"""The admitted keys and secrets as hashes, each with its name for the log."""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass, field

GATEWAY = "rapidapi"  # name of the gateway in the log; no key has such an id
SECRET = re.compile(r"[!-+\--~]{16,256}")  # ASCII without spaces and commas, as in a header


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
