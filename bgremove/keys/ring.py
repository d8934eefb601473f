"""The keys that are let in, as hashes, each with the name it has in the log."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field


def digest_of(key: bytes) -> bytes:
    """Return a key's SHA-256, 32 bytes.

    A key is 256 random bits, so nobody finds it by trying, however fast the hash. Slow, salted
    hashes are for passwords that people think up: here they would cost tens of milliseconds for
    every request, forged ones too, and add nothing.
    """
    return hashlib.sha256(key).digest()


@dataclass(frozen=True, slots=True)
class KeyRing:
    """Pairs of a key's SHA-256 and its name; an empty ring lets nobody in."""

    digests: tuple[tuple[bytes, str], ...] = field(repr=False)

    def __len__(self) -> int:
        return len(self.digests)

    def name_of(self, presented: bytes) -> str | None:
        """Return the name of the key presented, or None where it is none of these.

        All are compared, each in constant time: how long it takes tells nothing about a key.
        """
        digest, found = digest_of(presented), None
        for known, name in self.digests:
            if hmac.compare_digest(known, digest):
                found = name
        return found
