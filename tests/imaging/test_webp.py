"""WEBPs: the picture or the first frame, whatever stands around it."""

from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image

from bgremove.errors import ImageError
from tests.support import pictures as made
from tests.support.decoding import decoded, rgba

LIMITS = made.limits()
SCENE = Image.fromarray(made.scene(40, 24))
RGBA = Image.fromarray(made.scene(40, 24, 4))
KINDS = {
    "lossy": made.saved(SCENE, "WEBP"),
    "lossless": made.saved(SCENE, "WEBP", lossless=True),
    "lossy-alpha": made.saved(RGBA, "WEBP"),
    "lossless-alpha": made.saved(RGBA, "WEBP", lossless=True),
    "extended": made.saved(SCENE, "WEBP", exif=made.exif(1)),
    "extended-alpha": made.saved(RGBA, "WEBP", exif=made.exif(1)),
    "extended-lossless-alpha": made.saved(RGBA, "WEBP", lossless=True, exif=made.exif(1)),
}
FRAMES = [
    Image.fromarray(np.roll(made.scene(40, 24, channels), turn))
    for channels, turn in ((3, 0), (3, 9))
]
ANIMATIONS = {
    "lossy": made.saved(FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:]),
    "lossless": made.saved(
        FRAMES[0], "WEBP", save_all=True, append_images=FRAMES[1:], lossless=True
    ),
    "alpha": made.saved(RGBA, "WEBP", save_all=True, append_images=[RGBA.rotate(180)]),
}


def assert_like_pillow(data: bytes, reference: bytes | None = None) -> None:
    with Image.open(io.BytesIO(reference or data)) as image:
        expected = np.asarray(image.convert("RGBA"))
    shown = rgba(data)
    assert np.array_equal(shown[:, :, 3], expected[:, :, 3])
    seen = expected[:, :, 3] > 0
    assert np.array_equal(shown[seen], expected[seen])


@pytest.mark.parametrize("name", KINDS)
def test_pixels_are_those_of_pillow(name):
    assert_like_pillow(KINDS[name])


@pytest.mark.parametrize("name", ANIMATIONS)
def test_the_first_frame_is_that_of_pillow(name):
    assert_like_pillow(ANIMATIONS[name])
    assert decoded(ANIMATIONS[name]).warnings == ("animation-first-frame",)


@pytest.mark.parametrize("colour", ["white", "black", (1, 2, 3), (0, 255, 0, 9)])
def test_the_smallest_files_are_read(colour):
    mode = "RGBA" if len(colour) == 4 else "RGB"
    data = made.saved(Image.new(mode, (1, 1), colour), "WEBP", lossless=True)
    assert len(data) <= 40
    assert_like_pillow(data)


def test_a_file_of_28_bytes_is_read():
    """Its pixel is one of five codes of a single symbol each, which take no bits."""
    green, red, blue, alpha, distance = 1, 0, 1, 0, 0
    fields = [(0x2F, 8), (0, 14), (0, 14), (0, 1), (0, 3)]  # signature, size, no alpha, version
    fields += [(0, 1)] * 3  # neither transforms nor a cache nor codes that change
    for symbol in (green, red, blue, alpha, distance):
        fields += [(1, 1), (0, 1), (0, 1), (symbol, 1)]  # a simple code of one symbol of one bit
    bits = "".join(f"{value:0{count}b}"[::-1] for value, count in fields)
    body = np.packbits([int(bit) for bit in bits], bitorder="little").tobytes()
    data = made.riff((b"VP8L", body))
    assert len(data) == 28
    assert rgba(data).tolist() == [[[red, green, blue, 255]]]
    assert_like_pillow(data)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("tail", [b"trailing bytes", bytes(9), b"EXIF\xff\0\0\0short"])
def test_what_follows_the_picture_changes_nothing(name, tail):
    assert_like_pillow(KINDS[name] + tail, KINDS[name])


@pytest.mark.parametrize("size", [0, 4, 2**31, 2**32 - 10])
def test_the_size_in_the_file_header_may_be_wrong(size):
    data = bytearray(KINDS["lossy"])
    struct.pack_into("<I", data, 4, size)
    assert_like_pillow(bytes(data), KINDS["lossy"])


def test_metadata_behind_the_picture_may_be_cut():
    whole = KINDS["extended"]
    assert_like_pillow(whole[:-3], whole)


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_a_picture_cut_short_is_refused(name, kept):
    data = KINDS[name]
    end = data.rfind(b"EXIF") if b"EXIF" in data else len(data)
    with pytest.raises(ImageError, match="damaged"):
        decoded(data[: int(kept * end)])


@pytest.mark.parametrize("name", ANIMATIONS)
def test_an_animation_damaged_behind_its_first_frame_shows_that_frame(name):
    data = ANIMATIONS[name]
    second = data.index(b"ANMF", data.index(b"ANMF") + 4)
    assert_like_pillow(data[:second], data)
    assert_like_pillow(data[: second + 30], data)
    assert_like_pillow(data[: second + 24] + b"\xff" * len(data[second + 24 :]), data)


def test_an_animation_without_a_whole_frame_is_refused():
    data = ANIMATIONS["lossy"]
    with pytest.raises(ImageError, match="frame"):
        decoded(data[: data.index(b"ANMF") + 40])


def test_a_first_frame_that_is_smaller_than_its_canvas_lies_where_it_says():
    chunk = KINDS["lossless"][12:]
    body = (3).to_bytes(3, "little") + (5).to_bytes(3, "little")
    body += (39).to_bytes(3, "little") + (23).to_bytes(3, "little") + bytes(4) + chunk
    data = made.riff(made.vp8x(60, 50, 2), (b"ANIM", bytes(6)), (b"ANMF", body))
    shown = rgba(data)
    assert shown.shape == (50, 60, 4)
    assert np.array_equal(shown[10:34, 6:46, :3], np.asarray(SCENE))
    assert shown[10:34, 6:46, 3].all()
    shown[10:34, 6:46, 3] = 0
    assert not shown[:, :, 3].any()


def test_the_size_in_a_frame_s_head_does_not_count():
    data = bytearray(ANIMATIONS["lossy"])
    head = data.index(b"ANMF") + 8
    data[head + 6 : head + 12] = (99).to_bytes(3, "little") + (7).to_bytes(3, "little")
    assert_like_pillow(bytes(data), ANIMATIONS["lossy"])
