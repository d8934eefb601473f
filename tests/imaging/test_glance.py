"""The declared size, as the probe reads it later, from any file and at once."""

from __future__ import annotations

import pytest
from PIL import Image

from bgremove.imaging.probe import glance, probe
from tests.support import pictures as made

SCENE = Image.fromarray(made.scene(120, 70))
FILES = {
    "jpeg": made.saved(SCENE, "JPEG"),
    "progressive": made.saved(SCENE, "JPEG", progressive=True),
    "metadata-first": made.saved(SCENE, "JPEG", icc_profile=bytes(100_000), comment=b"c" * 60_000),
    "png": made.saved(SCENE, "PNG"),
    "bmp": made.saved(SCENE, "BMP"),
    "gif": made.saved(SCENE, "GIF"),
    "webp": made.saved(SCENE, "WEBP"),
    "lossless": made.saved(SCENE, "WEBP", lossless=True),
    "extended": made.saved(SCENE, "WEBP", exif=b"Exif\0\0"),
}


@pytest.mark.parametrize("name", FILES)
def test_the_size_is_that_of_the_probe(name: str) -> None:
    seen, header = glance(FILES[name]), probe(FILES[name], made.limits())
    assert seen is not None
    assert (seen.type, seen.pixels) == (header.type, header.pixels)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_cut_anywhere_is_none_or_has_its_size(name: str) -> None:
    whole = glance(FILES[name])
    assert {glance(FILES[name][:end]) for end in range(0, 400)} <= {None, whole}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text",
        b"\xff\xd8\xff" + b"\xfe\0\2\xff" * 100_000,
        made.jpeg(8, 8, before=b"\xff" * 10_000_000),  # fill, through which a search takes 80 ms
        made.jpeg(8, 8, before=b"\xff\0" * 5_000_000),
        b"\x89PNG\r\n\x1a\n" + bytes(40),
        b"BM" + bytes(60),
        b"RIFF0000WEBPVP8X",
        b"RIFF0000WEBPabcd" + bytes(40),
    ],
)
def test_what_declares_no_size_is_none(data: bytes) -> None:
    assert glance(data) is None
