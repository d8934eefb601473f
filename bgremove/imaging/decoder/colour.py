"""Colour profiles: RGB profiles stay with the picture, gray and CMYK are converted to sRGB."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image, ImageCms

from bgremove.datatypes import ImageHeader, ImageType, ImageU8
from bgremove.imaging.probe import jpeg_segments
from bgremove.imaging.probe.metadata import is_cmyk, space_of

UNPREPARED = ImageCms.Flags.NOOPTIMIZE  # enough to test that a transform builds: 0.5 ms, not 2.5

# Pillow's own limit on pixels is off because `probe` has already checked the size.
Image.MAX_IMAGE_PIXELS = None


def is_carried(profile: bytes) -> bool:
    """Return whether a profile is for RGB and valid for lcms, and therefore for viewers."""
    return space_of(profile) == b"RGB " and _transform(profile, "RGB", UNPREPARED) is not None


def converted(data: bytes, header: ImageHeader, colours: ImageU8) -> ImageU8 | None:
    """Convert a picture with a gray or CMYK profile to sRGB, BGR uint8 (H, W, 3).

    ``colours``, uint8 (H, W) or (H, W, 3), are the pixels of ``data`` as decoded by OpenCV.
    Returns None if the profile has another colour space, does not fit the picture, or is broken.
    """
    profile = header.icc_profile or b""
    if space_of(profile) == b"GRAY":
        gray = _one_channel(colours)
        return None if gray is None else _to_srgb(Image.fromarray(gray), profile)
    if is_cmyk(profile) and header.type is ImageType.JPEG:
        try:
            with Image.open(io.BytesIO(data + jpeg_segments.END), formats=["JPEG"]) as image:
                return _to_srgb(image, profile) if image.mode == "CMYK" else None
        except (OSError, SyntaxError):  # Pillow is stricter than OpenCV with damaged pictures
            return None
    return None


def _to_srgb(image: Image.Image, profile: bytes) -> ImageU8 | None:
    transform = _transform(profile, image.mode)
    if transform is None:
        return None
    rgb = np.asarray(ImageCms.applyTransform(image, transform))
    return np.ascontiguousarray(rgb[:, :, ::-1])


def _transform(
    profile: bytes, mode: str, flags: ImageCms.Flags = ImageCms.Flags.NONE
) -> ImageCms.ImageCmsTransform | None:
    """Build a transform from a profile to sRGB for Pillow's ``mode``; None if lcms fails."""
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        target = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        return ImageCms.buildTransform(source, target, mode, "RGB", flags=flags)
    except (ImageCms.PyCMSError, OSError):
        return None


def _one_channel(colours: ImageU8) -> ImageU8 | None:
    """Return the single channel of a gray picture; None if the picture has colour."""
    if colours.ndim == 2:
        return colours
    blue, green, red = (cv2.extractChannel(colours, channel) for channel in range(3))
    same = np.array_equal(blue, green) and np.array_equal(green, red)
    return blue.astype(np.uint8, copy=False) if same else None
