"""The density of the pixels, as each type declares it."""

from __future__ import annotations

import struct

import pytest
from PIL import Image

from bgremove.imaging.probe import probe
from tests.support import pictures as made

LIMITS = made.limits()
IMAGE = Image.fromarray(made.scene(20, 12))
INCH = 0.0254


def declared(data: bytes) -> tuple[int, int] | None:
    return probe(data, LIMITS).density


def exif(across: int, down: int, unit: int | None = 2, orientation: int = 1) -> Image.Exif:
    block = Image.Exif()
    block[0x0112], block[0x011A], block[0x011B] = orientation, float(across), float(down)
    if unit is not None:
        block[0x0128] = unit
    return block


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP"])
@pytest.mark.parametrize("dpi", [(300, 300), (72, 72), (300, 150)])
def test_the_density_that_pillow_writes_is_read(kind, dpi):
    across, down = declared(made.saved(IMAGE, kind, dpi=dpi))
    assert (round(across * INCH), round(down * INCH)) == dpi


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("unit", "expected"), [(2, 11811), (3, 30000), (None, 11811), (1, None)])
def test_the_density_in_exif_is_read(kind, unit, expected):
    data = made.saved(IMAGE, kind, exif=exif(300, 300, unit))
    assert declared(data) == (None if expected is None else (expected, expected))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_density_is_that_of_the_picture_the_right_way_up(kind, orientation):
    data = made.saved(IMAGE, kind, exif=exif(300, 100, orientation=orientation))
    assert declared(data) == ((3937, 11811) if orientation >= 5 else (11811, 3937))


def test_jfif_goes_before_exif():
    assert declared(made.saved(IMAGE, "JPEG", dpi=(300, 300), exif=exif(72, 72))) == (11811, 11811)


def test_jfif_without_a_unit_leaves_it_to_exif():
    shape_only = made.segment(0xE0, b"JFIF\0\1\1\0" + struct.pack(">HHBB", 300, 300, 0, 0))
    block = made.segment(0xE1, b"Exif\0\0" + exif(300, 300).tobytes().removeprefix(b"Exif\0\0"))
    assert declared(made.jpeg(8, 8, before=shape_only)) is None
    assert declared(made.jpeg(8, 8, before=shape_only + block)) == (11811, 11811)
    centimetres = made.segment(0xE0, b"JFIF\0\1\1\2" + struct.pack(">HHBB", 118, 118, 0, 0))
    assert declared(made.jpeg(8, 8, before=centimetres)) == (11800, 11800)


@pytest.mark.parametrize("body", [b"JFIF\0", b"JFIF\0\1\1\1\0", b"JFXX\0\1\1\1\1\1\1\1\0\0"])
def test_a_damaged_jfif_segment_declares_nothing(body):
    assert declared(made.jpeg(8, 8, before=made.segment(0xE0, body))) is None


@pytest.mark.parametrize(
    ("across", "down"), [(0, 0), (1, 1), (11811, 0), (400_001, 11811), (2**31 - 1, 2**31 - 1)]
)
def test_an_absurd_density_is_none(across, down):
    chunk = made.chunk(b"pHYs", struct.pack(">IIB", across, down, 1))
    assert declared(made.png(4, 4, before=chunk)) is None


def test_the_shape_of_a_pixel_is_no_density():
    chunk = made.chunk(b"pHYs", struct.pack(">IIB", 11811, 11811, 0))
    assert declared(made.png(4, 4, before=chunk)) is None


def test_a_ratio_of_nothing_is_no_density():
    tags = struct.pack(">HHII", 0x011A, 5, 1, 38) + struct.pack(">HHII", 0x011B, 5, 1, 38)
    block = b"MM\0*\0\0\0\x08\0\2" + tags + bytes(4) + struct.pack(">II", 300, 0)
    assert declared(made.png(4, 4, before=made.chunk(b"eXIf", block))) is None


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP"])
def test_most_pictures_declare_none(kind):
    assert declared(made.saved(IMAGE, kind)) in (None, (3780, 3780))  # Pillow's 96 dpi of BMP
