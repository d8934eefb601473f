"""Pixels out of pictures: upright, 8 bits, alpha apart."""

from __future__ import annotations

import io
import zlib
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from bgremove.errors import ImageError, UpstreamError
from bgremove.imaging.decoder.decode import turn
from bgremove.imaging.intake import reduced
from bgremove.imaging.probe import probe
from tests.support import pictures as made
from tests.support.decoding import decode, decoded

LIMITS = made.limits()
LOSSLESS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
}


def by_pillow(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(ImageOps.exif_transpose(image).convert("RGBA")).astype(int)


def assert_like_pillow(data: bytes, levels: int = 0) -> None:
    image, reference = decoded(data), by_pillow(data)
    alpha = np.ones(image.bgr.shape[:2]) if image.alpha is None else image.alpha
    assert image.bgr.shape[:2] == reference.shape[:2]
    assert np.abs(alpha * 255 - reference[:, :, 3]).max() < 0.01
    assert np.abs(image.bgr[:, :, ::-1] - reference[:, :, :3]).max() <= levels


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied_once(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = made.saved(Image.fromarray(made.scene(40, 24)), kind, exif=exif, **LOSSLESS[kind])
    assert decoded(picture).size == ((24, 40) if orientation >= 5 else (40, 24))
    assert_like_pillow(picture, levels=8 if kind == "JPEG" else 0)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("least_side", [60, 30, 20, 10])
def test_a_jpeg_is_decoded_smaller_as_a_whole(orientation, mode, least_side):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = Image.fromarray(made.scene(203, 121)).convert(mode)
    data = made.saved(picture, "JPEG", exif=exif, **LOSSLESS["JPEG"])
    whole, header = decoded(data), reduced(probe(data, LIMITS), least_side)
    assert header.reduction == {60: 2, 30: 4, 20: 4, 10: 8}[least_side]
    assert header.size == whole.size == ((121, 203) if orientation >= 5 else (203, 121))
    small = decode(data, header)
    assert small.size == header.decoded_size
    assert min(small.size) >= least_side
    upright = replace(header, orientation=1)
    stored_small = decode(data, upright).bgr
    stored_whole = decode(data, replace(upright, reduction=1)).bgr
    assert np.array_equal(small.bgr, turn(stored_small, orientation))
    by = header.reduction
    padded = np.pad(stored_whole, [(0, -121 % by), (0, -203 % by), (0, 0)], "edge").astype(float)
    means = padded.reshape(-(-121 // by), by, -(-203 // by), by, 3).mean(axis=(1, 3))
    assert np.abs(stored_small - means).mean() < 3


def test_what_cannot_be_decoded_smaller_is_decoded_whole():
    png = made.saved(Image.fromarray(made.scene(64, 48)), "PNG")
    cmyk = Image.fromarray(made.scene(64, 48)).convert("CMYK")
    profiled = made.saved(cmyk, "JPEG", icc_profile=made.cmyk_profile())
    small = made.saved(Image.fromarray(made.scene(64, 48)), "JPEG")
    for data, least_side in ((png, 8), (profiled, 8), (small, 25)):
        header = reduced(probe(data, LIMITS), least_side)
        assert header.reduction == 1
        assert decode(data, header).size == (64, 48)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_alpha_turns_with_the_colours(kind, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    rgba = made.scene(40, 24, 4)
    rgba[:, :, 3] = np.maximum(rgba[:, :, 3], 1)  # WEBP drops colours under zero alpha
    assert_like_pillow(made.saved(Image.fromarray(rgba), kind, exif=exif, **LOSSLESS[kind]))


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        *[("1", kind) for kind in ("PNG", "BMP", "GIF", "WEBP", "JPEG")],
        *[("L", kind) for kind in ("PNG", "BMP", "GIF", "WEBP", "JPEG")],
        *[("P", kind) for kind in ("PNG", "BMP", "GIF")],
        *[("RGB", kind) for kind in ("PNG", "BMP", "WEBP", "JPEG")],
        *[("LA", kind) for kind in ("PNG",)],
        *[("RGBA", kind) for kind in ("PNG", "BMP")],
        ("CMYK", "JPEG"),
        ("YCbCr", "JPEG"),
    ],
)
def test_pixels_are_those_of_pillow(mode, kind):
    image = Image.fromarray(made.scene(61, 43, 4)).convert(mode)
    picture = made.saved(image, kind, **LOSSLESS.get(kind, {}))
    assert_like_pillow(picture, levels=8 if kind == "JPEG" else 0)


def test_progressive_jpeg_is_read():
    image = Image.fromarray(made.scene(61, 43))
    assert_like_pillow(made.saved(image, "JPEG", progressive=True, quality=95), levels=8)


@pytest.mark.parametrize("depth", [1, 2, 4, 8])
@pytest.mark.parametrize("interlace", [False, True])
def test_palettes_of_every_depth_are_read(depth, interlace):
    image = Image.fromarray(made.scene(61, 43)).quantize(2**depth)
    picture = made.saved(image, "PNG", bits=depth, interlace=interlace)
    assert_like_pillow(picture)


def test_an_opaque_picture_has_no_alpha_though_it_stores_one():
    rgba = made.scene(9, 7, 4)
    rgba[:, :, 3] = 255
    assert decoded(made.saved(Image.fromarray(rgba), "PNG")).alpha is None


def test_alpha_is_float_from_zero_to_one():
    rgba = made.scene(9, 7, 4)
    rgba[0, :3, 3] = 0, 255, 51
    alpha = decoded(made.saved(Image.fromarray(rgba), "PNG")).alpha
    assert alpha.dtype == np.float32
    assert alpha[0, :3] == pytest.approx([0, 1, 0.2])


@given(st.lists(st.integers(0, 65_535), min_size=1, max_size=40))
def test_16_bits_are_rounded_not_cut(values):
    rows = b"\0" + np.array(values, ">u2").tobytes()
    gray = decoded(made.png(len(values), 1, 16, made.GRAY, rows=rows)).bgr[0, :, 1]
    assert gray.tolist() == [(value + 128) // 257 for value in values]


@pytest.mark.parametrize("kind", [made.RGB, made.RGBA, made.GRAY_ALPHA])
def test_16_bits_of_every_kind_are_rounded(kind):
    samples = {made.RGB: 3, made.RGBA: 4, made.GRAY_ALPHA: 2}[kind]
    deep = np.random.default_rng(2).integers(0, 65_536, (5, 6, samples)).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    image = decoded(made.png(6, 5, 16, kind, rows=rows))
    rounded = (deep.astype(int) + 128) // 257
    colours = rounded[:, :, [0, 0, 0]] if kind == made.GRAY_ALPHA else rounded[:, :, :3]
    assert np.array_equal(image.bgr[:, :, ::-1], colours)
    if kind != made.RGB:
        assert np.allclose(image.alpha * 255, rounded[:, :, -1], atol=1e-4)


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_transparent_gray_is_transparent_at_every_depth(depth):
    """OpenCV drops it under every flag; Pillow at 2, 4 and 16 bits."""
    largest = (1 << depth) - 1
    values = [0, largest // 2, largest, largest // 2]
    bits = "".join(f"{value:0{depth}b}" for value in values).ljust(8 * -(-4 * depth // 8), "0")
    rows = b"\0" + int(bits, 2).to_bytes(len(bits) // 8, "big")
    key = (largest // 2).to_bytes(2, "big")
    picture = made.png(4, 1, depth, rows=rows, before=made.chunk(b"tRNS", key))
    expected = [0.0 if value == largest // 2 else 1.0 for value in values]
    assert decoded(picture).alpha[0].tolist() == expected


def test_transparent_gray_that_no_pixel_has_leaves_the_picture_opaque():
    rows = b"\0" + bytes([1, 2, 3])
    assert decoded(made.png(3, 1, rows=rows, before=made.chunk(b"tRNS", b"\0\x09"))).alpha is None


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_an_animation_gives_its_first_frame_and_says_so(kind):
    frames = [Image.new("RGB", (9, 9), colour) for colour in ("red", "lime", "blue")]
    options: dict[str, Any] = {"save_all": True, "append_images": frames[1:]} | LOSSLESS.get(
        kind, {}
    )
    image = decoded(made.saved(frames[0], kind, **options))
    assert image.warnings == ("animation-first-frame",)
    assert image.bgr[4, 4].tolist() == [0, 0, 255]


def test_a_still_picture_apart_from_its_animation_is_shown():
    row = b"\0" + b"\xff\0\0" * 2
    frame = zlib.compress(b"\0" + b"\0\xff\0" * 2)
    animation = made.fctl(0, 2, 1) + made.chunk(b"fdAT", bytes([0, 0, 0, 1]) + frame)
    animation += made.fctl(1, 2, 1) + made.chunk(b"fdAT", bytes([0, 0, 0, 3]) + frame)
    start = made.png(
        2, 1, 8, made.RGB, rows=row, before=made.chunk(b"acTL", bytes(3) + b"\2" + bytes(4))
    )
    picture = start[:-12] + animation + made.chunk(b"IEND")
    image = decoded(picture)
    assert image.bgr[0, 0].tolist() == [0, 0, 255]
    assert image.warnings == ("animation-first-frame",)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "BMP", "WEBP", "GIF"])
@pytest.mark.parametrize("kept", [0.5, 0.9])
def test_a_picture_cut_short_is_refused_in_a_sentence(kind, kept):
    picture = made.saved(Image.fromarray(made.scene(90, 70)), kind)
    picture = picture[: int(kept * len(picture))]
    with pytest.raises(ImageError, match="cut short"):
        decoded(picture)


def test_a_picture_of_another_size_than_it_declares_is_refused():
    header = probe(made.png(4, 4), LIMITS)
    with pytest.raises(ImageError, match="damaged"):
        decode(made.png(4, 5), header)


@pytest.mark.parametrize(
    ("code", "error"), [(cv2.Error.StsNoMem, UpstreamError), (cv2.Error.StsAssert, ImageError)]
)
def test_running_out_of_memory_is_not_the_picture_s_fault(code, error, monkeypatch):
    def fail(*_):
        fault = cv2.error("(-4:Insufficient memory) at some/file.cpp")
        fault.code = code
        raise fault

    monkeypatch.setattr(cv2, "imdecode", fail)
    with pytest.raises(error) as refusal:
        decoded(made.png(4, 4))
    assert "file.cpp" not in refusal.value.message
