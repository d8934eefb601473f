"""Pixels of 32 bits in bit fields, and others that decoders misread."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from bgremove.imaging.decoder import bmp
from tests.support import pictures as made
from tests.support.decoding import decoded

LIMITS = made.limits()
WORDS = np.random.default_rng(3).integers(0, 2**32, (5, 3), np.uint32)


def masks(*fields: int) -> bytes:
    return struct.pack(f"<{len(fields)}I", *fields)


def with_masks(header_bytes: int, *fields: int, bits: int = 32) -> bytes:
    """Return a bitmap, its masks behind a header of 40 bytes and within a longer one."""
    words = WORDS.astype("<u4" if bits == 32 else "<u2")
    rows = b"".join(row.tobytes().ljust(-(-3 * bits // 32) * 4, b"\0") for row in words)
    if header_bytes == 40:
        return made.bmp(3, 5, bits, rows, compression=3, palette=masks(*fields[:3]))
    return made.bmp(
        3, 5, bits, rows, compression=3, masks=masks(*fields), header_bytes=header_bytes
    )


@pytest.mark.parametrize("header_bytes", [40, 52, 56, 108, 124])
@pytest.mark.parametrize(
    "fields",
    [
        (0xFF0000, 0xFF00, 0xFF, 0),
        (0xFF, 0xFF00, 0xFF0000, 0),
        (0xFF000000, 0xFF0000, 0xFF00, 0),
        (0xFF00, 0xFF0000, 0xFF000000, 0),
    ],
)
def test_colours_lie_where_the_masks_say(header_bytes, fields):
    image = decoded(with_masks(header_bytes, *fields))
    for channel, mask in zip((2, 1, 0), fields[:3], strict=True):
        expected = (WORDS[::-1] & mask) // (mask & -mask)
        assert np.array_equal(image.bgr[:, :, channel], expected)
    assert image.alpha is None


@pytest.mark.parametrize("fields", [(0, 0, 0, 0), (0xFF000000, 0xFF00, 0xFF, 0xFF0000)])
def test_masks_are_read_as_pillow_reads_them(fields):
    picture = with_masks(124, *fields)
    with Image.open(io.BytesIO(picture)) as theirs:
        reference = np.asarray(theirs.convert("RGBA"))
    image = decoded(picture)
    assert np.array_equal(image.bgr[:, :, ::-1], reference[:, :, :3])
    assert np.allclose(image.alpha * 255, reference[:, :, 3], atol=1e-4)


@pytest.mark.parametrize("header_bytes", [56, 108, 124])
def test_a_fourth_mask_is_alpha(header_bytes):
    picture = with_masks(header_bytes, 0xFF, 0xFF00, 0xFF0000, 0xFF000000)
    image = decoded(picture)
    reference = WORDS[::-1].copy().view(np.uint8).reshape(5, 3, 4)
    assert np.array_equal(image.bgr[:, :, ::-1], reference[:, :, :3])
    assert np.allclose(image.alpha * 255, reference[:, :, 3], atol=1e-4)


def test_fields_of_uneven_width_are_stretched_to_full_range():
    image = decoded(with_masks(108, 0x3FF00000, 0xFFC00, 0x3FF, 0xC0000000))
    words = WORDS[::-1].astype(np.int64)
    red = np.rint((words >> 20 & 1023) * 255 / 1023)
    assert np.array_equal(image.bgr[:, :, 2], red)
    assert np.allclose(image.alpha, (words >> 30) / 3, atol=1e-3)


@pytest.mark.parametrize("fields", [(0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F)])
def test_16_bits_are_read_as_pillow_reads_them(fields):
    picture = with_masks(40, *fields, bits=16)
    with Image.open(io.BytesIO(picture)) as image:
        reference = np.asarray(image.convert("RGB")).astype(int)
    assert np.abs(decoded(picture).bgr[:, :, ::-1] - reference).max() <= 8


def test_the_filler_of_32_bits_without_masks_is_not_alpha():
    words = WORDS & 0xFFFFFF
    image = decoded(made.bmp(3, 5, 32, words.astype("<u4").tobytes()))
    assert image.alpha is None
    assert np.array_equal(image.bgr[::-1, :, 0], words & 255)


def test_rows_from_the_top_down_are_read_in_their_order():
    words = WORDS.astype("<u4").tobytes()
    fields = masks(0xFF, 0xFF00, 0xFF0000)
    down = decoded(made.bmp(3, -5, 32, words, compression=3, palette=fields))
    up = decoded(made.bmp(3, 5, 32, words, compression=3, palette=fields))
    assert np.array_equal(down.bgr, up.bgr[::-1])


def test_colours_of_an_os_2_bitmap_stay_colours():
    palette = bytes(value for entry in range(256) for value in (entry, 0, 255 - entry))
    head = struct.pack("<IHHHH", 12, 4, 1, 1, 8)
    at = 14 + len(head) + len(palette)
    picture = (
        b"BM" + struct.pack("<IHHI", at + 4, 0, 0, at) + head + palette + bytes([0, 9, 99, 255])
    )
    assert decoded(picture).bgr[0].tolist() == [[v, 0, 255 - v] for v in (0, 9, 99, 255)]


def test_large_bitmaps_are_unpacked_band_by_band(monkeypatch):
    whole = decoded(with_masks(40, 0xFF, 0xFF00, 0xFF0000)).bgr
    monkeypatch.setattr(bmp, "BAND_PIXELS", 6)
    assert np.array_equal(decoded(with_masks(40, 0xFF, 0xFF00, 0xFF0000)).bgr, whole)
