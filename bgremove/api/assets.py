"""The files of the page: read once, named by a hash of all of them, packed once."""

from __future__ import annotations

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "pages"
HASH_CHARACTERS = 16
# What is served, by suffix. The machine's own table of types differs from one to the next.
TYPES = {
    ".css": "text/css; charset=utf-8",
    ".jpg": "image/jpeg",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
PACKED = frozenset({".css", ".js", ".svg"})  # a JPEG does not get smaller


@dataclass(frozen=True, slots=True)
class Asset:
    """One file; ``packed`` is its gzip, or None where that would be no gain."""

    content_type: str
    plain: bytes
    packed: bytes | None


@dataclass(frozen=True, slots=True)
class Release:
    """All files under one hash, so that relative imports between scripts stay within it."""

    hash: str
    assets: dict[str, Asset]

    def names(self, suffix: str) -> list[str]:
        """Return the names of the files of one kind, in order."""
        return [name for name in self.assets if name.endswith(suffix)]


@cache
def release() -> Release:
    """Read the files; names that no type is known for (the template) are not among them."""
    digest = hashlib.sha256()
    assets = {}
    for path in sorted(FOLDER.iterdir()):
        if path.suffix in TYPES:
            content = path.read_bytes()
            digest.update(f"{path.name}\0{len(content)}\0".encode() + content)
            packed = gzip.compress(content, mtime=0) if path.suffix in PACKED else None
            assets[path.name] = Asset(TYPES[path.suffix], content, packed)
    return Release(digest.hexdigest()[:HASH_CHARACTERS], assets)
