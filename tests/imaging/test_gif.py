"""The first frame of a GIF, whatever stands around it."""

from __future__ import annotations

import io
import struct
import time

import numpy as np
import pytest
from PIL import Image

from bgremove.errors import ImageError
from bgremove.imaging.probe import probe
from tests.support import pictures as made
from tests.support.decoding import decode, decoded, rgba

LIMITS = made.limits()
SCENE = Image.fromarray(made.scene(31, 17)).quantize(32)
PLAIN = made.saved(SCENE, "GIF", interlace=0)
FRAMES = [Image.new("RGB", (9, 9), colour) for colour in ("red", "lime", "blue")]
ANIMATED = made.saved(FRAMES[0], "GIF", save_all=True, append_images=FRAMES[1:])
CLEAR, END = 4, 5  # LZW codes where the smallest size is 2 bits
FRAME = PLAIN.index(b"\x2c\0\0\0\0\x1f\0\x11\0")  # where the frame of PLAIN starts
SECOND = ANIMATED.index(b"\x21\xf9", ANIMATED.index(b"\x2c\0\0\0\0\x09\0\x09\0"))


def by_pillow(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGBA"))


def extension(label: int, *blocks: bytes) -> bytes:
    return bytes([0x21, label]) + b"".join(bytes([len(b)]) + b for b in blocks) + b"\0"


def inserted(*extensions: bytes) -> bytes:
    return PLAIN[:FRAME] + b"".join(extensions) + PLAIN[FRAME:]


@pytest.mark.parametrize("interlace", [0, 1])
@pytest.mark.parametrize("colours", [2, 3, 4, 5, 16, 17, 128, 129, 256])
@pytest.mark.parametrize("size", [(1, 1), (31, 17), (5, 3), (300, 2), (2, 300)])
def test_pixels_are_those_of_pillow(interlace, colours, size):
    image = Image.fromarray(made.scene(*size)).quantize(colours)
    data = made.saved(image, "GIF", interlace=interlace)
    assert np.array_equal(rgba(data), by_pillow(data))


@pytest.mark.parametrize("index", [0, 1, 31])
def test_the_transparent_colour_is_transparent(index):
    data = made.saved(SCENE, "GIF", transparency=index)
    assert np.array_equal(rgba(data), by_pillow(data))
    assert np.array_equal(rgba(data)[:, :, 3] == 0, np.asarray(SCENE) == index)


@pytest.mark.parametrize(
    "extensions",
    [
        [extension(0xFF, b"ANIMEXTS1.0", b"\1\2\3")],
        [extension(0xFF, b"XMP DataXMP", b"<x/>", bytes(range(1, 200)))],
        [extension(0xFF, b"NETSCAPE2.0", b"")],
        [extension(0xFF)],
        [extension(0xFF, b"short")],
        [extension(0xFE, b"comment"), extension(0xFE)],
        [extension(0x01, bytes(12), b"plain text")],
        [extension(0x77, b"unknown")],
        [extension(0xF9, b"\0\0\0\0"), extension(0xF9)],
        [extension(0xF9, b"\1")],
        [b"\0\0\0"],
        [b"stray bytes"],
    ],
    ids=lambda extensions: extensions[0][:12].hex(),
)
def test_extensions_and_stray_bytes_in_front_of_the_frame_are_skipped(extensions):
    assert np.array_equal(rgba(inserted(*extensions)), by_pillow(PLAIN))


@pytest.mark.parametrize(
    "tail",
    [b"", b"\x3bgarbage", b"\0\0\0", b"\x2c", b"\x2c\0\0", b"\x21", b"\x21\xf9\4", b"\x99" * 40],
)
def test_what_stands_behind_the_first_frame_may_be_missing_or_damaged(tail):
    assert np.array_equal(rgba(PLAIN[:-1] + tail), by_pillow(PLAIN))


def test_the_last_data_block_may_lack_its_end():
    assert PLAIN.endswith(b"\0\x3b")
    assert np.array_equal(rgba(PLAIN[:-2]), by_pillow(PLAIN))


@pytest.mark.parametrize("cut", range(SECOND, len(ANIMATED), 7))
def test_an_animation_cut_behind_its_first_frame_shows_that_frame(cut):
    image = decoded(ANIMATED[:cut])
    assert (image.bgr == [0, 0, 255]).all()


def test_an_animation_damaged_behind_its_first_frame_shows_that_frame():
    data = ANIMATED[:SECOND] + b"\xff" * 30 + ANIMATED[SECOND + 30 :]
    assert (decoded(data).bgr == [0, 0, 255]).all()


@pytest.mark.parametrize("missing", [1, 2, 10, 40])
def test_a_first_frame_with_a_row_missing_is_refused(missing):
    end = len(PLAIN) - 2
    with pytest.raises(ImageError, match="first frame"):
        decoded(PLAIN[: end - 2 - missing])


def test_a_frame_whose_data_ends_early_is_refused():
    data = made.gif((2, 9), (2, 9), made.lzw([CLEAR, 0, 1, 0, END], 3))
    with pytest.raises(ImageError, match="first frame"):
        decoded(data)


def test_a_frame_beyond_the_canvas_is_cut_off():
    whole = rgba(PLAIN)
    data = bytearray(PLAIN)
    struct.pack_into("<HH", data, 6, 20, 10)
    assert np.array_equal(rgba(bytes(data)), whole[:10, :20])
    struct.pack_into("<HH", data, FRAME + 1, 15, 4)
    shown = rgba(bytes(data))
    assert np.array_equal(shown[4:, 15:], whole[:6, :5])
    assert not shown[:4, :, 3].any()
    assert not shown[:, :15, 3].any()


@pytest.mark.parametrize("transparency", [None, 3])
def test_the_canvas_around_a_frame_is_transparent(transparency):
    options = {} if transparency is None else {"transparency": transparency}
    data = bytearray(made.saved(SCENE, "GIF", **options))
    whole = rgba(bytes(data))
    frame = data.index(b"\x2c\0\0\0\0\x1f\0\x11\0")
    struct.pack_into("<HH", data, 6, 50, 40)
    struct.pack_into("<HH", data, frame + 1, 6, 7)
    shown = rgba(bytes(data))
    assert shown.shape == (40, 50, 4)
    assert np.array_equal(shown[7:24, 6:37, 3], whole[:, :, 3])
    assert np.array_equal(shown[7:24, 6:37][whole[:, :, 3] > 0], whole[whole[:, :, 3] > 0])
    shown[7:24, 6:37, 3] = 0
    assert not shown[:, :, 3].any()


def test_a_canvas_of_no_size_is_that_of_its_frame():
    data = bytearray(PLAIN)
    struct.pack_into("<HH", data, 6, 0, 0)
    assert np.array_equal(rgba(bytes(data)), by_pillow(PLAIN))


def test_colours_that_the_palette_lacks_are_black():
    data = made.gif((2, 1), (2, 1), made.lzw([CLEAR, 3, 1, END], 3))
    assert rgba(data)[0].tolist() == [[0, 0, 0, 255], [255, 255, 255, 255]]


def test_a_frame_without_any_palette_is_gray():
    pixels = made.lzw([CLEAR, 3, 1, END], 3)
    data = b"GIF87a\2\0\1\0\0\0\0\x2c\0\0\0\0\2\0\1\0\0\2" + bytes([len(pixels)]) + pixels + b"\0;"
    assert rgba(data)[0].tolist() == [[3, 3, 3, 255], [1, 1, 1, 255]]


def test_the_frames_own_palette_goes_before_that_of_all():
    pixels = made.lzw([CLEAR, 0, 1, END], 3)
    frame = b"\x2c\0\0\0\0\2\0\1\0\x80\1\2\3\4\5\6\2" + bytes([len(pixels)]) + pixels + b"\0;"
    data = b"GIF89a\2\0\1\0\x80\0\0" + b"\xff" * 6 + frame
    assert rgba(data)[0].tolist() == [[1, 2, 3, 255], [4, 5, 6, 255]]


@pytest.mark.parametrize(
    "codes",
    [
        made.lzw([CLEAR] * 8, 3) * 3_400_000,
        made.lzw([END] * 8, 3) * 3_400_000,
        made.lzw([CLEAR, 0, END, 0] * 2, 3) * 3_400_000,
        made.lzw([CLEAR, 0, 0, 0] * 2, 3) * 3_400_000,
    ],
    ids=["clear", "end", "clear-and-end", "clear-and-pixels"],
)
def test_10_mb_of_codes_that_draw_next_to_nothing_cost_little(codes):
    """Decoding takes 0.02 to 0.12 s of work; a call for each end code would take minutes."""
    data = made.gif((7000, 7000), (7000, 7000), codes)
    header = probe(data, LIMITS)
    start = time.process_time()
    with pytest.raises(ImageError, match="first frame"):
        decode(data, header)
    assert time.process_time() - start < 20


def test_frames_behind_damage_are_not_counted():
    whole = probe(ANIMATED, LIMITS)
    assert whole.frames == 3
    assert probe(ANIMATED[:SECOND] + b"\xff\xff\xff", LIMITS).frames == 1
