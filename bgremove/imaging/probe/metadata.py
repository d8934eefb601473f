"""Metadata of a picture: its orientation, its pixel density, and the header of its profile."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bgremove.imaging.probe.limits import MAX_METADATA_BYTES, refuse_above
from bgremove.imaging.probe.tiff import Directory

PREFIX = b"Exif\0\0"
XMP_PREFIX = b"http://ns.adobe.com/xap/1.0/\0"  # of a JPEG's APP1 segment
UPRIGHT = 1
ORIENTATION_TAG = 0x0112  # Exif 2.32, table 4
XMP_ORIENTATION = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')  # as attribute or as element
METRE, CENTIMETRE, INCH = 1.0, 0.01, 0.0254  # in metres
# Accepted range in pixels per metre, 10 to 10,000 pixels per inch. Other values are ignored.
LOWEST, HIGHEST = 390, 400_000
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128  # Exif 2.32, table 4
EXIF_UNITS = {0: INCH, 2: INCH, 3: CENTIMETRE}  # an absent unit means inches
JFIF = b"JFIF\0"
JFIF_UNITS = {1: INCH, 2: CENTIMETRE}  # 0 gives the aspect ratio only
Density = tuple[int, int]
PROFILE_SPACE = slice(16, 20)  # ICC.1:2022, table 17: the data colour space


@dataclass(slots=True)
class Metadata:
    """The orientation and density that a walk over a file has found so far.

    ``exif_orientation`` and ``xmp_orientation`` are 1 to 8, None while not found. ``density`` is in
    pixels per metre, across and down as stored.
    """

    exif_orientation: int | None = None
    xmp_orientation: int | None = None
    density: Density | None = None

    @property
    def orientation(self) -> int:
        """The orientation of the first EXIF block, else of XMP, else upright."""
        return self.exif_orientation or self.xmp_orientation or UPRIGHT

    def take_exif(self, block: bytes | memoryview) -> None:
        """Take an EXIF block, of which the first counts; raise ImageError for an oversized one."""
        if self.exif_orientation is None:
            refuse_above(MAX_METADATA_BYTES, len(block), "bytes of EXIF")
            self.exif_orientation = orientation_of(bytes(block))
            self.density = self.density or density_in_exif(bytes(block))

    def take_xmp(self, packet: bytes | memoryview) -> None:
        """Take an XMP packet; the first with an orientation counts."""
        if self.xmp_orientation is None:
            self.xmp_orientation = orientation_in_xmp(bytes(packet))

    def take_density(self, declared: Density | None) -> None:
        """Take a density that the type itself declares, which replaces that of EXIF."""
        self.density = declared or self.density


def orientation_in_xmp(packet: bytes) -> int | None:
    """Return the orientation in an XMP packet, 1 to 8; None if absent."""
    found = XMP_ORIENTATION.search(packet)
    return int(found[1]) if found else None


def orientation_of(block: bytes) -> int:
    r"""Return the orientation in an EXIF block, 1 to 8; 1 if absent or invalid.

    ``block`` starts with the TIFF header, or with ``Exif\0\0`` and the TIFF header.
    """
    value = Directory(block.removeprefix(PREFIX)).number(ORIENTATION_TAG)
    return value if 1 <= value <= 8 else UPRIGHT


def density(across: float, down: float, unit_m: float | None) -> Density | None:
    """Return pixels per metre (across, down); None if out of range or without a unit."""
    if unit_m is None:
        return None
    per_metre = round(across / unit_m), round(down / unit_m)
    return per_metre if min(per_metre) >= LOWEST and max(per_metre) <= HIGHEST else None


def density_in_exif(block: bytes) -> Density | None:
    r"""Return the density in an EXIF block, with or without a leading ``Exif\0\0``."""
    tags = Directory(block.removeprefix(PREFIX))
    across, down = tags.ratio(X_RESOLUTION), tags.ratio(Y_RESOLUTION)
    return density(across, down, EXIF_UNITS.get(tags.number(RESOLUTION_UNIT)))


def density_in_jfif(body: bytes) -> Density | None:
    """Return the density in the body of a JPEG's APP0 segment."""
    if not body.startswith(JFIF) or len(body) < 12:
        return None
    across, down = (int.from_bytes(body[at : at + 2], "big") for at in (8, 10))
    return density(across, down, JFIF_UNITS.get(body[7]))


def space_of(profile: bytes) -> bytes:
    """Return the declared colour space of a profile, four bytes such as ``b"RGB "``."""
    return profile[PROFILE_SPACE]


def is_cmyk(profile: bytes | None) -> bool:
    """Return whether the declared colour space of a profile is CMYK."""
    return profile is not None and space_of(profile) == b"CMYK"
