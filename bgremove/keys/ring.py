"""The admitted keys as hashes, each with its name for the log."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field


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
