"""The secret that a gateway in front sends with every request, as RapidAPI's does."""

from __future__ import annotations

import re

from bgremove.keys.lines import FileFaultError
from bgremove.keys.ring import KeyRing, digest_of

GATEWAY = "rapidapi"  # what the log calls a request the gateway let in; no key has such an id
SECRET = re.compile(r"[!-+\--~]{16,256}")  # ASCII without spaces and commas: one header, one value


def ring_of_secret(secret: str) -> KeyRing:
    """Return who one secret lets in. Raises FileFaultError where it is none."""
    if not SECRET.fullmatch(secret):
        raise FileFaultError("not a secret of 16 to 256 ASCII characters without spaces and commas")
    return KeyRing(((digest_of(secret.encode("ascii")), GATEWAY),))


def ring_of_secrets(data: bytes) -> KeyRing:
    """Return who a file of secrets, one a line, lets in: two while one follows the other.

    Raises FileFaultError with the faulty line, or where no line has a secret.
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
