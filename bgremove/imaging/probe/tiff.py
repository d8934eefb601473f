"""TIFF structures: EXIF blocks, TIFF files, and the raw files of cameras."""

from __future__ import annotations

from typing import Literal

SIZES = {3: 2, 4: 4}  # TIFF field type to bytes: SHORT, LONG
ASCII, RATIONAL = 2, 5
ENTRY_BYTES = 12
OWN_MAGIC = (  # raw formats with a signature of their own
    b"FUJIFILMCCD-RAW",  # RAF
    b"IIRO",  # ORF
    b"IIRS",
    b"MMOR",
    b"IIU\0",  # RW2
    b"II\x1a\0\0\0HEAPCCDR",  # CRW
    b"FOVb",  # X3F
    b"\0MRM",
)
TIFF_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
CR2_MARK = b"CR\2\0"
# TIFF tags from Adobe's DNG 1.7 and TIFF/EP.
SUB_DIRECTORIES, DNG_VERSION, CFA_PATTERN, MAKE = 0x014A, 0xC612, 0x828E, 0x010F
CAMERA_MAKERS = (b"NIKON", b"SONY", b"PENTAX", b"RICOH", b"SAMSUNG", b"Hasselblad", b"Phase One")


class Directory:
    """The tags of the first directory; empty if ``tiff`` is not a TIFF structure.

    The second directory describes the thumbnail. Values outside ``tiff`` count as absent.
    """

    def __init__(self, tiff: bytes) -> None:
        self._tiff = tiff
        self._entries: dict[int, int] = {}  # tag to the offset of its entry
        self._order: Literal["little", "big"] = "little" if tiff.startswith(b"II*\0") else "big"
        if not tiff.startswith((b"II*\0", b"MM\0*")):
            return
        first = self._int(4, 4)
        count = min(self._int(first, 2), max(0, len(tiff) - first - 2) // ENTRY_BYTES)
        for at in range(first + 2, first + 2 + ENTRY_BYTES * count, ENTRY_BYTES):
            self._entries.setdefault(self._int(at, 2), at)

    def has(self, tag: int) -> bool:
        """Return whether the directory has the tag."""
        return tag in self._entries

    def number(self, tag: int) -> int:
        """Return the first integer of a tag; 0 if absent."""
        at = self._entries.get(tag)
        return 0 if at is None else self._int(at + 8, SIZES.get(self._int(at + 2, 2), 0))

    def ratio(self, tag: int) -> float:
        """Return the first rational of a tag; 0 if absent."""
        at = self._entries.get(tag)
        if at is None or self._int(at + 2, 2) != RATIONAL:
            return 0.0
        value = self._int(at + 8, 4)
        below = self._int(value + 4, 4)
        return self._int(value, 4) / below if below else 0.0

    def text(self, tag: int) -> bytes:
        """Return the text of a tag, up to its NUL; empty if absent."""
        at = self._entries.get(tag)
        if at is None or self._int(at + 2, 2) != ASCII:
            return b""
        length = self._int(at + 4, 4)
        start = at + 8 if length <= 4 else self._int(at + 8, 4)
        return self._tiff[start : start + length].partition(b"\0")[0]

    def _int(self, at: int, size: int) -> int:
        return int.from_bytes(self._tiff[at : at + size], self._order)


def kind_of(start: bytes) -> str | None:
    """Return ``RAW`` or ``TIFF``; None for anything else."""
    if start.startswith(OWN_MAGIC):
        return "RAW"
    if not start.startswith(TIFF_MAGIC):
        return None
    if start[8:12] == CR2_MARK:
        return "RAW"
    tags = Directory(start)
    if tags.has(DNG_VERSION) or tags.has(CFA_PATTERN):
        return "RAW"
    is_camera = tags.text(MAKE).upper().startswith(tuple(name.upper() for name in CAMERA_MAKERS))
    return "RAW" if is_camera and tags.has(SUB_DIRECTORIES) else "TIFF"
