"""PNGs whose pixels are whole, whatever is wrong with the rest of the file."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from bgremove.errors import ImageError
from bgremove.imaging.probe import png, probe
from tests.support import pictures as made
from tests.support.decoding import decoded

LIMITS = made.limits()
SAMPLES = {made.GRAY: 1, made.RGB: 3, made.PALETTE: 1, made.GRAY_ALPHA: 2, made.RGBA: 4}
DEPTHS = [
    *[(made.GRAY, depth) for depth in (1, 2, 4, 8, 16)],
    *[(made.PALETTE, depth) for depth in (1, 2, 4, 8)],
    *[(kind, depth) for kind in (made.RGB, made.GRAY_ALPHA, made.RGBA) for depth in (8, 16)],
]
ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2)]
ADAM7 += [(0, 1, 1, 2)]  # left, top, and the steps across and down of each pass
SCENE = made.scene(31, 17)
WHOLE = made.saved(Image.fromarray(SCENE), "PNG")
IEND = made.chunk(b"IEND")
FRAMES = [Image.new("RGB", (9, 9), colour) for colour in ("red", "lime", "blue")]
ANIMATED = made.saved(FRAMES[0], "PNG", save_all=True, append_images=FRAMES[1:])
ACTL = made.chunk(b"acTL", struct.pack(">II", 2, 0))


def packed_rows(samples: np.ndarray, depth: int) -> bytes:
    """Return (H, W, C) samples as rows without a filter."""
    rows = []
    for row in samples:
        if depth == 16:
            packed = row.astype(">u2").tobytes()
        elif depth == 8:
            packed = row.astype(np.uint8).tobytes()
        else:
            bits = (row.reshape(-1, 1) >> np.arange(depth)[::-1]) & 1
            packed = np.packbits(bits.astype(np.uint8)).tobytes()
        rows.append(b"\0" + packed)
    return b"".join(rows)


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize(("kind", "depth"), DEPTHS)
@pytest.mark.parametrize(("width", "height"), [(1, 1), (9, 5), (16, 17)])
def test_every_kind_and_depth_is_read_as_stored(kind, depth, interlace, width, height):
    shape = (height, width, SAMPLES[kind])
    stored = np.random.default_rng(depth).integers(0, 1 << depth, shape)
    passes = [stored]
    if interlace:
        passes = [stored[top::down, left::across] for left, top, across, down in ADAM7]
    rows = b"".join(packed_rows(part, depth) for part in passes if part.size)
    palette = np.random.default_rng(1).integers(0, 256, (1 << depth, 3)).astype(np.uint8)
    before = made.chunk(b"PLTE", palette.tobytes()) if kind == made.PALETTE else b""
    body = made.ihdr(width, height, depth, kind, interlace) + before
    image = decoded(made.PNG_SIGNATURE + body + made.chunk(b"IDAT", zlib.compress(rows)) + IEND)
    if kind == made.PALETTE:
        expected = palette[stored[:, :, 0]].astype(int)
    else:
        expected = np.rint(stored * 255 / ((1 << depth) - 1)).astype(int)
        if kind in (made.GRAY, made.GRAY_ALPHA):
            expected = np.concatenate([expected[:, :, [0, 0, 0]], expected[:, :, 1:]], axis=2)
    assert np.array_equal(image.bgr[:, :, ::-1], expected[:, :, :3])
    if expected.shape[2] == 4:
        alpha = np.ones((height, width)) if image.alpha is None else image.alpha
        assert np.allclose(alpha * 255, expected[:, :, 3], atol=1e-3)


def assert_whole(data: bytes) -> None:
    assert np.array_equal(decoded(data).bgr[:, :, ::-1], SCENE)


@pytest.mark.parametrize("cut", range(1, 21))
def test_an_end_cut_behind_the_last_row_changes_nothing(cut):
    """12 bytes of IEND, 4 of the checksum of IDAT, and 4 of that of zlib."""
    assert_whole(WHOLE[:-cut])


def test_an_end_cut_from_the_second_chunk_of_pixels_changes_nothing():
    packed = WHOLE[41:-16]
    parts = made.chunk(b"IDAT", packed[:70]) + made.chunk(b"IDAT", packed[70:])
    assert_whole(WHOLE[:33] + parts + IEND)
    assert_whole((WHOLE[:33] + parts)[:-7])


@pytest.mark.parametrize("cut", [24, 40, 60, 100])
def test_a_picture_cut_within_its_rows_is_refused(cut):
    with pytest.raises(ImageError, match="damaged"):
        decoded(WHOLE[:-cut])


@pytest.mark.parametrize(
    "end",
    [
        b"",
        b"\0" * 12,
        b"\xff" * 12,
        b"\0\0\0\0IEND\0\0\0\0",
        b"\0\0\0\0iEND\xae\x42\x60\x82",
        b"\x7f\xff\xff\xffIEND",
        IEND + b"trailing bytes" * 100,
        IEND + WHOLE,
    ],
)
def test_a_missing_or_damaged_end_changes_nothing(end):
    assert_whole(WHOLE[:-12] + end)


ANCILLARY = [b"gAMA", b"cHRM", b"sRGB", b"pHYs", b"tIME", b"bKGD", b"hIST", b"tEXt", b"zTXt"]
ANCILLARY += [b"iTXt", b"iCCP", b"eXIf", b"sBIT", b"sPLT", b"acTL", b"fcTL", b"fdAT", b"tRNS"]


@pytest.mark.parametrize("name", [*ANCILLARY, b"abCd", b"QQQQ"])
@pytest.mark.parametrize("body", [b"", b"\0", b"nonsense" * 5])
@pytest.mark.parametrize("is_checked", [True, False], ids=["checksum", "no-checksum"])
def test_other_chunks_may_be_damaged(name, body, is_checked):
    if name == b"acTL" and len(body) > 4:
        body = struct.pack(">II", 3, 0)  # nonsense may count more frames than the limit
    chunk = made.chunk(name, body)
    if not is_checked:
        chunk = chunk[:-4] + b"\0\0\0\0"
    assert_whole(WHOLE[:33] + chunk + WHOLE[33:])
    assert_whole(WHOLE[:-12] + chunk + IEND)


@pytest.mark.parametrize("at", [16, 20, 24, 29, 45, 60])
def test_a_damaged_header_or_damaged_pixels_are_refused(at):
    damaged = bytearray(WHOLE)
    damaged[at] ^= 0x11
    with pytest.raises(ImageError):
        decoded(bytes(damaged))


@pytest.mark.parametrize(
    "tail",
    [
        b"",
        made.fctl(0, 31, 17),
        made.fctl(0, 31, 17) + made.chunk(b"fdAT", b"\0\0\0\1nonsense"),
        made.fctl(0, 9999, 9999) + made.chunk(b"fdAT", b"\0\0\0\1"),
        made.chunk(b"fcTL", b"short"),
        made.chunk(b"fdAT", b""),
    ],
)
def test_a_still_picture_is_read_though_its_animation_is_broken(tail):
    image = decoded(WHOLE[:33] + ACTL + WHOLE[33:-12] + tail + IEND)
    assert np.array_equal(image.bgr[:, :, ::-1], SCENE)
    assert image.warnings == ("animation-first-frame",)


@pytest.mark.parametrize("cut", range(20, len(ANIMATED) // 2, 9))
def test_an_animation_cut_behind_its_first_frame_shows_that_frame(cut):
    with Image.open(io.BytesIO(ANIMATED)) as image:
        assert getattr(image, "n_frames") == 3  # noqa: B009 - of the classes with frames only
    assert (decoded(ANIMATED[:-cut]).bgr == [0, 0, 255]).all()


def test_only_what_makes_the_pixels_reaches_the_decoder():
    noise = b"".join(made.chunk(name, b"x" * 99) for name in ANCILLARY if name != b"tRNS")
    assert png.still(WHOLE[:33] + noise + WHOLE[33:]) == WHOLE


def test_a_palette_that_is_only_advice_is_left_out():
    broken = made.chunk(b"PLTE", b"xx")
    assert_whole(WHOLE[:33] + broken + WHOLE[33:])


def test_the_form_of_png_that_apps_of_apple_read_is_named():
    with pytest.raises(ImageError, match="CgBI"):
        probe(WHOLE[:8] + made.chunk(b"CgBI", b"\x50\0\x20\x02") + WHOLE[8:], LIMITS)


def test_a_png_that_starts_with_another_chunk_is_refused():
    with pytest.raises(ImageError, match="does not start with its header"):
        probe(WHOLE[:8] + made.chunk(b"tEXt", b"a\0b") + WHOLE[8:], LIMITS)
