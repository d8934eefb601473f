"""Colour profiles: carried, converted or dropped, never silently."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.support import pictures as made
from tests.support.decoding import decoded

LIMITS = made.limits()
# Columns XYZ of the primaries, adapted to D50: SMPTE EG 432-1 and Adobe RGB (1998).
DISPLAY_P3 = made.matrix_profile(
    [[0.5151, 0.2412, -0.0011], [0.2919, 0.6922, 0.0419], [0.1572, 0.0666, 0.7841]], 2.2
)
ADOBE_RGB = made.matrix_profile(
    [[0.6097, 0.3111, 0.0195], [0.2053, 0.6257, 0.0609], [0.1492, 0.0632, 0.7446]], 2.19921875
)
LOSSLESS: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 100, "subsampling": 0},
    "PNG": {},
    "WEBP": {"lossless": True},
}
DROPPED = ("colour-profile-ignored",)


def in_srgb(image: Image.Image, profile: bytes) -> np.ndarray:
    source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    target = ImageCms.createProfile("sRGB")
    return np.asarray(ImageCms.profileToProfile(image, source, target, outputMode="RGB")).astype(
        int
    )


@pytest.mark.parametrize("kind", LOSSLESS)
@pytest.mark.parametrize("profile", [DISPLAY_P3, ADOBE_RGB], ids=["display-p3", "adobe-rgb"])
def test_an_rgb_profile_is_carried_and_the_colours_left_as_stored(kind, profile):
    pixels = made.scene(40, 30)
    picture = made.saved(Image.fromarray(pixels), kind, icc_profile=profile, **LOSSLESS[kind])
    image = decoded(picture)
    assert image.icc_profile == profile
    assert image.warnings == ()
    assert np.abs(image.bgr[:, :, ::-1] - pixels.astype(int)).max() <= (8 if kind == "JPEG" else 0)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_gray_profile_becomes_srgb(kind):
    profile = made.gray_profile(1.4)
    gray = Image.fromarray(made.scene(40, 30, 1))
    image = decoded(made.saved(gray, kind, icc_profile=profile, **LOSSLESS[kind]))
    reference = in_srgb(gray, profile)
    assert np.abs(reference - np.asarray(gray)[:, :, None].astype(int)).max() > 30
    assert np.abs(image.bgr[:, :, ::-1] - reference).max() <= 8
    assert (image.icc_profile, image.warnings) == (None, ())


def test_a_gray_profile_of_a_picture_with_alpha_becomes_srgb():
    profile = made.gray_profile(1.4)
    pixels = made.scene(40, 30, 2)
    image = decoded(made.saved(Image.fromarray(pixels, "LA"), "PNG", icc_profile=profile))
    reference = in_srgb(Image.fromarray(pixels[:, :, 0].copy()), profile)
    assert np.abs(image.bgr[:, :, ::-1] - reference).max() <= 1
    assert np.allclose(image.alpha * 255, pixels[:, :, 1], atol=1e-4)


def test_a_cmyk_profile_becomes_srgb():
    profile = made.cmyk_profile()
    cmyk = Image.fromarray(made.scene(40, 30, 4), "CMYK")
    picture = made.saved(cmyk, "JPEG", icc_profile=profile, **LOSSLESS["JPEG"])
    with Image.open(io.BytesIO(picture)) as stored:
        reference = in_srgb(stored, profile)
        naive = np.asarray(stored.convert("RGB")).astype(int)
    assert np.abs(reference - naive).max() > 30
    image = decoded(picture)
    assert np.abs(image.bgr[:, :, ::-1] - reference).max() <= 8
    assert (image.icc_profile, image.warnings) == (None, ())


def test_converted_colours_are_turned_upright_too():
    exif = Image.Exif()
    exif[0x0112] = 6
    gray = Image.fromarray(made.scene(40, 30, 1))
    image = decoded(made.saved(gray, "PNG", icc_profile=made.gray_profile(1.4), exif=exif))
    assert image.size == (30, 40)


@pytest.mark.parametrize(
    "profile",
    [
        b"no profile at all",
        DISPLAY_P3[:200],
        DISPLAY_P3[:16] + b"Lab " + DISPLAY_P3[20:],
        made.gray_profile(2.2),
        made.cmyk_profile(),
    ],
    ids=["garbage", "cut", "mislabelled", "gray-on-colours", "cmyk-on-colours"],
)
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_profile_that_is_broken_or_does_not_fit_is_dropped_and_that_is_said(kind, profile):
    pixels = made.scene(40, 30)
    picture = made.saved(Image.fromarray(pixels), kind, icc_profile=profile, **LOSSLESS[kind])
    image = decoded(picture)
    assert (image.icc_profile, image.warnings) == (None, DROPPED)
    assert np.abs(image.bgr[:, :, ::-1] - pixels.astype(int)).max() <= 8


def test_a_cmyk_picture_that_only_opencv_reads_keeps_its_plain_colours(monkeypatch):
    cmyk = Image.fromarray(made.scene(40, 30, 4), "CMYK")
    picture = made.saved(cmyk, "JPEG", icc_profile=made.cmyk_profile())
    plain = decoded(made.saved(cmyk, "JPEG"))

    def refuse(*_, **__):
        raise OSError("broken data stream")

    monkeypatch.setattr(Image, "open", refuse)
    image = decoded(picture)
    assert image.warnings == DROPPED
    assert np.array_equal(image.bgr, plain.bgr)
