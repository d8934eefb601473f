"""Recognition of TIFF files and of camera raw files, most of which are based on TIFF."""

from __future__ import annotations

from bgremove.imaging.probe.tiff import Directory

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
