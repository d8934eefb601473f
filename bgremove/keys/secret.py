"""The secret that a gateway such as RapidAPI sends with every request."""

from __future__ import annotations

import re

from bgremove.keys.lines import FileFaultError
from bgremove.keys.ring import KeyRing, digest_of

GATEWAY = "rapidapi"  # name of the gateway in the log; no key has such an id
SECRET = re.compile(r"[!-+\--~]{16,256}")  # ASCII without spaces and commas, as in a header


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
