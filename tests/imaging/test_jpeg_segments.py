"""JPEGs that lack their end marker are read where every row is in them, and only there."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from bgremove.errors import ImageError
from bgremove.imaging.probe import probe
from tests.support import pictures as made
from tests.support.decoding import decode

LIMITS = made.limits()
NOISE = np.random.default_rng(4).integers(0, 256, (50, 70, 3)).astype(np.uint8)
PICTURES = {
    "scene": made.scene(120, 70),
    "noise": NOISE,
    "flat": np.full((50, 70, 3), 90, np.uint8),
}
WAYS: dict[str, dict[str, Any]] = {
    "baseline": {},
    "progressive": {"progressive": True},
    "optimised": {"optimize": True},
    "full-colour": {"subsampling": 0, "quality": 95},
    "restarts": {"restart_marker_rows": 1},
    "restarts-within-rows": {"restart_marker_blocks": 2},
    "progressive-restarts": {"progressive": True, "restart_marker_rows": 2},
}
END = b"\xff\xd9"


def decoded(data: bytes, reduction: int = 1):
    return decode(data, replace(probe(data, LIMITS), reduction=reduction))


def jpeg(picture: str, way: str, mode: str = "RGB") -> bytes:
    data = made.saved(Image.fromarray(PICTURES[picture]).convert(mode), "JPEG", **WAYS[way])
    assert data.endswith(END)
    return data


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("picture", PICTURES)
@pytest.mark.parametrize(
    "end", [b"", b"\xff", bytes(3000), b"\xff\xff\xff", b"\xff" + bytes(9), b"\r\n"]
)
def test_only_the_end_marker_is_missing(picture, way, mode, end):
    data = jpeg(picture, way, mode)
    if data.endswith(b"\0" + END) and len(end) > 2:
        pytest.skip("whether the last zero is data cannot be told")
    assert np.array_equal(decoded(data[:-2] + end).bgr, decoded(data).bgr)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("picture", PICTURES)
def test_wherever_a_jpeg_is_cut_it_is_whole_or_refused(picture, way):
    data = jpeg(picture, way)
    whole = decoded(data).bgr
    start = data.index(b"\xff\xda")
    step = max(1, (len(data) - start) // 400)
    accepted = []
    for cut in (*range(1, 40), *range(40, len(data) - start, step)):
        for padding in (b"", bytes(2000)):
            try:
                pixels = decoded(data[:-cut] + padding).bgr
            except ImageError:
                continue
            assert np.abs(pixels.astype(int) - whole).max() <= 1, f"{cut} bytes short"
            accepted.append(cut)
    assert 1 in accepted
    if picture != "flat":  # of which any row follows from the one before
        assert len(set(accepted)) <= 5  # the end marker, and bits that fill up the last byte


@pytest.mark.parametrize("reduction", [2, 4, 8])
def test_a_jpeg_decoded_smaller_is_checked_as_well(reduction):
    data = jpeg("noise", "baseline")
    whole = decoded(data, reduction).bgr
    assert np.array_equal(decoded(data[:-2], reduction).bgr, whole)
    with pytest.raises(ImageError, match="cut short"):
        decoded(data[: len(data) // 2], reduction)


def test_a_progressive_jpeg_that_lacks_its_last_scan_is_refused():
    data = jpeg("noise", "progressive")
    with pytest.raises(ImageError, match="not all of its scans"):
        decoded(data[: data.rindex(b"\xff\xda")])
    with pytest.raises(ImageError, match="not all of its scans"):
        decoded(data[: data.rindex(b"\xff\xc4")])  # nor the table in front of it


def test_the_end_of_a_thumbnail_is_not_that_of_the_picture():
    thumbnail = made.saved(Image.fromarray(NOISE[:16, :16]), "JPEG")
    exif = Image.Exif()
    data = made.saved(Image.fromarray(NOISE), "JPEG", exif=exif)
    data = data[:2] + made.segment(0xE1, b"Exif\0\0" + thumbnail) + data[2:]
    assert np.array_equal(decoded(data[:-2]).bgr, decoded(data).bgr)
    with pytest.raises(ImageError):
        decoded(data[: len(data) // 2])


def test_a_profile_for_cmyk_is_applied_without_the_end_marker():
    image = Image.fromarray(NOISE).convert("CMYK")
    data = made.saved(image, "JPEG", icc_profile=made.cmyk_profile())
    short = decoded(data[:-2])
    assert short.warnings == ()
    assert np.array_equal(short.bgr, decoded(data).bgr)


def test_what_follows_the_end_marker_is_ignored():
    data = jpeg("scene", "baseline")
    for tail in (b"\0" * 50, b"trailer", data[: len(data) // 2]):
        assert np.array_equal(decoded(data + tail).bgr, decoded(data).bgr)


def test_pixels_are_those_of_pillow():
    data = jpeg("scene", "progressive")
    with Image.open(io.BytesIO(data)) as image:
        reference = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(decoded(data[:-2]).bgr[:, :, ::-1] - reference).max() <= 8


@pytest.mark.parametrize("way", ["baseline", "progressive"])
def test_one_too_large_to_be_checked_is_refused_before_it_is_decoded(way):
    data = jpeg("scene", way, "CMYK")[:-2]
    pixels = 120 * 70
    needed = replace(LIMITS, max_pixels=10 * pixels)
    assert probe(data, needed).pixels == pixels
    if way == "progressive":  # 24 passes, five times
        with pytest.raises(ImageError, match=r"no end marker.*\d+ blocks.*limit is \d+.*save it"):
            probe(data, replace(LIMITS, max_pixels=pixels))
    else:
        assert probe(data, replace(LIMITS, max_pixels=pixels)).pixels == pixels
