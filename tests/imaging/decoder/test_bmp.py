"""Bitmaps of every header, depth and compression."""

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
from tests.support.decoding import decoded

LIMITS = made.limits()
RGB, RLE8, RLE4, BITFIELDS, ALPHA_BITFIELDS = 0, 1, 2, 3, 6
RANDOM = np.random.default_rng(5)
PALETTE = RANDOM.integers(0, 256, (256, 3)).astype(np.uint8)  # in BGR


def bitmap(
    width: int,
    height: int,
    bits: int,
    pixels: bytes,
    *,
    header_bytes: int = 40,
    compression: int = RGB,
    masks: tuple[int, ...] = (),
    colours: np.ndarray = PALETTE[:0],
    used: int = 0,
    gap: bytes = b"",
) -> bytes:
    """Return a BMP; masks are within a header that is long enough, else behind it."""
    if header_bytes == 12:
        head = struct.pack("<IHHHH", 12, width, height, 1, bits)
        palette = colours.tobytes()
    else:
        fields = struct.pack("<iiHHIIiiII", width, height, 1, bits, compression, 0, 0, 0, used, 0)
        packed = struct.pack(f"<{len(masks)}I", *masks)
        if header_bytes == 40:
            head = struct.pack("<I", 40) + fields + packed
        else:
            head = (struct.pack("<I", header_bytes) + fields + packed).ljust(header_bytes, b"\0")
            head = head[:header_bytes]
        palette = b"".join(bytes([*colour, 0]) for colour in colours)
    at = 14 + len(head) + len(palette) + len(gap)
    body = head + palette + gap + pixels
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + body


def packed(indices: np.ndarray, bits: int) -> bytes:
    """Return rows of indices, top row first, packed and filled up to 4 bytes."""
    spread = (indices[:, :, None] >> np.arange(bits)[::-1]) & 1
    rows = np.packbits(spread.reshape(len(indices), -1).astype(np.uint8), axis=1)
    return b"".join(row.tobytes().ljust(-(-rows.shape[1] // 4) * 4, b"\0") for row in rows)


def by_pillow(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))[:, :, ::-1]


@pytest.mark.parametrize("header_bytes", [12, 16, 40, 52, 56, 64, 108, 124])
@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize(("width", "height"), [(1, 1), (7, 3), (9, 4), (33, 2)])
def test_palettes_of_every_depth_and_header_are_read(header_bytes, bits, width, height):
    indices = RANDOM.integers(0, 1 << bits, (height, width))
    data = bitmap(
        width,
        height,
        bits,
        packed(indices[::-1], bits),
        header_bytes=header_bytes,
        colours=PALETTE[: 1 << bits],
    )
    assert np.array_equal(decoded(data).bgr, PALETTE[indices])
    if header_bytes != 16 and bits != 2:  # Pillow cannot read the rest
        assert np.array_equal(decoded(data).bgr, by_pillow(data))


@pytest.mark.parametrize("header_bytes", [12, 16, 40, 108, 124])
@pytest.mark.parametrize("bits", [16, 24, 32])
@pytest.mark.parametrize("top_down", [False, True])
def test_direct_colours_are_those_of_pillow(header_bytes, bits, top_down):
    if top_down and header_bytes == 12:
        pytest.skip("the heights of OS/2 1.x have no sign")
    width, height = 5, 4
    rows = RANDOM.integers(0, 256, (height, width * bits // 8)).astype(np.uint8)
    pixels = b"".join(row.tobytes().ljust(-(-rows.shape[1] // 4) * 4, b"\0") for row in rows)
    data = bitmap(width, -height if top_down else height, bits, pixels, header_bytes=header_bytes)
    image = decoded(data)
    assert image.alpha is None
    if header_bytes != 16:
        assert np.abs(image.bgr.astype(int) - by_pillow(data)).max() <= 8
    if bits == 24:
        expected = rows.reshape(height, width, 3)
        assert np.array_equal(image.bgr, expected if top_down else expected[::-1])


FIELDS = {
    "565": (0xF800, 0x7E0, 0x1F, 0),
    "555": (0x7C00, 0x3E0, 0x1F, 0),
    "bgr-565": (0x1F, 0x7E0, 0xF800, 0),
    "1555": (0x7C00, 0x3E0, 0x1F, 0x8000),
    "5551": (0xF800, 0x7C0, 0x3E, 0x1),
    "4444": (0xF00, 0xF0, 0xF, 0xF000),
    "rgba-4444": (0xF000, 0xF00, 0xF0, 0xF),
    "332": (0xE0, 0x1C, 0x3, 0),
    "one-channel": (0xFF, 0, 0, 0),
}


@pytest.mark.parametrize("header_bytes", [56, 108, 124])
@pytest.mark.parametrize("name", FIELDS)
@pytest.mark.parametrize("compression", [BITFIELDS, ALPHA_BITFIELDS])
def test_16_bits_lie_where_the_masks_say(header_bytes, name, compression):
    masks = FIELDS[name]
    words = RANDOM.integers(0, 2**16, (4, 6)).astype("<u2")
    data = bitmap(
        6,
        4,
        16,
        words.tobytes(),
        header_bytes=header_bytes,
        compression=compression,
        masks=masks,
    )
    image = decoded(data)
    for place, mask in zip((2, 1, 0), masks[:3], strict=True):
        top = mask // (mask & -mask) if mask else 1
        field = (words[::-1].astype(int) & mask) // ((mask & -mask) or 1)
        assert np.array_equal(image.bgr[:, :, place], np.rint(field * 255 / top))
    if masks[3]:
        assert np.array_equal(image.alpha > 0.5, words[::-1] & masks[3] > masks[3] / 2)
    else:
        assert image.alpha is None


def test_masks_behind_a_short_header_are_read():
    words = np.array([[0xF800, 0x07E0, 0x001F, 0xFFFF]], "<u2")
    data = bitmap(4, 1, 16, words.tobytes(), compression=BITFIELDS, masks=FIELDS["565"][:3])
    colours = [[0, 0, 255], [0, 255, 0], [255, 0, 0], [255, 255, 255]]
    assert decoded(data).bgr[0].tolist() == colours


def test_masks_of_nothing_at_16_bits_are_the_usual_ones():
    words = np.array([[0x7C00, 0x1F]], "<u2")
    data = bitmap(2, 1, 16, words.tobytes(), compression=BITFIELDS, masks=(0, 0, 0))
    assert decoded(data).bgr[0].tolist() == [[0, 0, 255], [255, 0, 0]]


def test_an_alpha_of_zero_everywhere_is_none():
    words = RANDOM.integers(0, 2**24, (3, 3)).astype("<u4")
    masks = (0xFF0000, 0xFF00, 0xFF, 0xFF000000)
    data = bitmap(3, 3, 32, words.tobytes(), header_bytes=108, compression=BITFIELDS, masks=masks)
    assert decoded(data).alpha is None


def test_a_palette_may_be_shorter_than_its_depth_allows():
    data = bitmap(4, 1, 8, bytes([0, 1, 2, 255]), colours=PALETTE[:2], used=2)
    assert decoded(data).bgr[0].tolist() == [*PALETTE[:2].tolist(), [0, 0, 0], [0, 0, 0]]


def test_a_gap_in_front_of_the_pixels_is_skipped():
    data = bitmap(2, 1, 24, bytes(range(6)) + b"\0\0", gap=b"gap!")
    assert decoded(data).bgr[0].tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize("bits", [1, 4, 8, 16, 24])
def test_what_fills_up_the_last_row_may_be_missing(bits):
    width = 3
    row_bytes = -(-width * bits // 8)
    stride = -(-row_bytes // 4) * 4
    pixels = RANDOM.integers(0, 256, stride * 3).astype(np.uint8).tobytes()
    whole = bitmap(width, 3, bits, pixels, colours=PALETTE[: 1 << bits if bits <= 8 else 0])
    missing = stride - row_bytes
    assert np.array_equal(decoded(whole[: len(whole) - missing]).bgr, decoded(whole).bgr)
    with pytest.raises(ImageError, match="cut short"):
        decoded(whole[: len(whole) - missing - 1])


# Run lengths


def runs(width: int, height: int, codes: bytes, bits: int = 8) -> bytes:
    compression = RLE8 if bits == 8 else RLE4
    colours = PALETTE[: 1 << bits]
    return bitmap(width, height, bits, codes, compression=compression, colours=colours)


def rows_of(data: bytes) -> list[list[int]]:
    """Return the indices that the colours of a decoded bitmap have, bottom row first."""
    bgr = decoded(data).bgr[::-1]
    return [[_index_of(pixel) for pixel in row] for row in bgr]


def _index_of(pixel: np.ndarray) -> int:
    return int(np.flatnonzero((pixel == PALETTE).all(axis=1))[0])


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (b"\3\1\0\0\3\2\0\1", [[1, 1, 1], [2, 2, 2]]),
        (b"\0\3\1\2\3\0\0\0\3\2\0\1", [[1, 2, 3], [2, 2, 2]]),  # pixels as they are
        (b"\3\1\0\0\3\2", [[1, 1, 1], [2, 2, 2]]),  # no end
        (b"\3\1\0\0\3\2\0\0\0\1", [[1, 1, 1], [2, 2, 2]]),
        (b"\1\1\0\0\3\2\0\1", [[1, 0, 0], [2, 2, 2]]),  # a row's rest is of colour 0
        (b"\0\0\3\2\0\1", [[0, 0, 0], [2, 2, 2]]),  # a row of nothing
        (b"\1\1\0\2\1\1\1\2\0\1", [[1, 0, 0], [0, 0, 2]]),  # a move
        (b"\x09\1\0\0\3\2\0\1", [[1, 1, 1], [2, 2, 2]]),  # a run past the end of the row
        (b"\0\6\1\1\1\1\1\1\0\0\3\2\0\1", [[1, 1, 1], [2, 2, 2]]),
        (b"\3\1\0\0\3\2\0\0\3\3\0\1", [[1, 1, 1], [2, 2, 2]]),  # a row too many
    ],
)
def test_runs_of_8_bits(codes, expected):
    assert rows_of(runs(3, 2, codes)) == expected


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        (b"\5\x12\0\0\5\x33\0\1", [[1, 2, 1, 2, 1], [3] * 5]),
        (b"\0\5\x12\x34\x50\0\0\0\5\x33\0\1", [[1, 2, 3, 4, 5], [3] * 5]),
        (b"\0\3\x12\x30\2\x45\0\0\5\x33\0\1", [[1, 2, 3, 4, 5], [3] * 5]),
        (b"\x09\x12\0\0\5\x33", [[1, 2, 1, 2, 1], [3] * 5]),
    ],
)
def test_runs_of_4_bits(codes, expected):
    assert rows_of(runs(5, 2, codes, bits=4)) == expected


@pytest.mark.parametrize("bits", [4, 8])
def test_runs_are_read_as_pillow_reads_them(bits):
    """Pillow writes none, so runs and pixels are mixed here by chance."""
    codes, width, height = b"", 40, 12
    for _ in range(height):
        left = width
        while left:
            count = min(int(RANDOM.integers(3, 12)), left)
            size = count if bits == 8 else -(-count // 2)
            values = RANDOM.integers(0, 256, size).astype(np.uint8).tobytes()
            as_they_are = count > 2 and (bits == 8 or count % 4 == 0) and RANDOM.random() < 0.5
            if as_they_are:
                codes += bytes([0, count]) + values + b"\0" * (size % 2)
            else:
                codes += bytes([count, values[0]])
            left -= count
        codes += b"\0\0"
    data = runs(width, height, codes + b"\0\1", bits)
    assert np.array_equal(decoded(data).bgr, by_pillow(data))


@pytest.mark.parametrize(
    "codes",
    [
        b"",
        b"\3\1",
        b"\3\1\0\0",
        b"\3\1\0\0\2\1",
        b"\3\1\0\1",  # an end before the last row
        b"\3\1\0\0\0\1",
        b"\3\1\0\2\0",
        b"\3\1\0\0\0\3\1\2",
    ],
)
def test_runs_that_leave_out_a_row_are_refused(codes):
    with pytest.raises(ImageError, match="cut short"):
        decoded(runs(3, 2, codes))


@pytest.mark.parametrize("codes", [b"\1\5" * 200_000, b"\0\2\0\0" * 200_000])
def test_codes_that_give_no_pixel_are_refused_after_some(codes):
    with pytest.raises(ImageError, match="give no pixel"):
        decoded(runs(3, 2, codes))


def test_runs_beyond_their_rows_and_moves_are_read_in_ordinary_numbers():
    codes = (b"\4\1" * 50 + b"\0\0") * 300 + b"\0\2\0\0" * 50_000 + b"\4\2\0\0"
    assert decoded(runs(4, 301, codes)).size == (4, 301)


@pytest.mark.parametrize(
    "codes", [b"\1\5" * 5_000_000, b"\0\2\0\0" * 2_500_000, b"\0\4ab" * 2_500_000]
)
def test_10_mb_of_the_shortest_runs_are_bounded(codes):
    """They take 0.5 to 2.2 s of work; on a busy machine, measured for coverage, 10.3 s."""
    data = runs(7200, 7200, codes, bits=4)
    start = time.process_time()
    with pytest.raises(ImageError, match="cut short"):
        decoded(data)
    assert time.process_time() - start < 60


@pytest.mark.parametrize(
    ("bits", "compression", "words"),
    [
        (24, 4, "compression 4"),  # a JPEG within, or the run lengths of OS/2
        (24, 5, "compression 5"),
        (8, 11, "compression 11"),
        (1, BITFIELDS, "1 bits a pixel"),  # Huffman codes of OS/2
        (8, RLE4, "8 bits a pixel"),
        (3, RGB, "3 bits a pixel"),
        (64, RGB, "64 bits a pixel"),
    ],
)
def test_what_is_not_read_is_named(bits, compression, words):
    with pytest.raises(ImageError, match=words):
        probe(bitmap(2, 2, bits, bytes(64), compression=compression), LIMITS)
