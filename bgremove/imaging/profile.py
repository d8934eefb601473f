"""Reader for the header of ICC colour profiles, without a colour library."""

from __future__ import annotations

SPACE = slice(16, 20)  # ICC.1:2022, table 17: the data colour space


def space_of(profile: bytes) -> bytes:
    """Return the declared colour space of a profile, four bytes such as ``b"RGB "``."""
    return profile[SPACE]


def is_cmyk(profile: bytes | None) -> bool:
    """Return whether the declared colour space of a profile is CMYK."""
    return profile is not None and space_of(profile) == b"CMYK"
