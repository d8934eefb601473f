"""Limits of what a picture may ask for, and the bounds that no operator needs to move."""

from __future__ import annotations

from dataclasses import dataclass

from bgremove.errors import ImageError

MIB = 1024 * 1024

# An ICC profile or EXIF block, unpacked. The largest CMYK profiles in use have 2.5 MiB; EXIF in a
# JPEG cannot pass 64 KiB.
MAX_METADATA_BYTES = 4 * MIB

# A canvas over a megapixel may be so many times as large as the first frame drawn on it. Animations
# that start small start with a tenth; 36 bytes can declare 50 megapixels around a single one.
MAX_CANVAS_RATIO = 100
SMALL_CANVAS_PIXELS = 1_000_000

# Memory while decoding, for each pixel of the limit: what the dearest picture of 8 bits needs at
# that limit in OpenCV 5 (progressive CMYK JPEG, 11), and one more. Deeper ones share the sum.
MAX_BYTES_PER_PIXEL = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What is let in; names, units and defaults are those of `bgremove.settings.Settings`."""

    max_upload_bytes: int
    max_pixels: int
    max_side: int
    max_frames: int
    max_scans: int
    max_text_chunks: int


def refuse_above(limit: int, value: int, what: str) -> None:
    """Raise ImageError where ``value`` is above ``limit``, in a sentence that names both."""
    if value > limit:
        raise ImageError(f"The picture has {value:,} {what}, more than the limit of {limit:,}")


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise ImageError for a declared size, in pixels, that is empty or beyond the limits."""
    if width < 1 or height < 1:
        raise ImageError(f"The picture is damaged: it declares a size of {width} x {height} pixels")
    if max(width, height) > limits.max_side:
        raise ImageError(
            f"The picture is {width:,} x {height:,} pixels;"
            f" the limit for a side is {limits.max_side:,}"
        )
    if width * height > limits.max_pixels:
        raise ImageError(
            f"The picture is {width:,} x {height:,} = {width * height:,} pixels,"
            f" more than the limit of {limits.max_pixels:,}"
        )


def check_canvas(canvas: tuple[int, int], frame: tuple[int, int]) -> None:
    """Raise ImageError where a large canvas has next to nothing drawn on it; sizes in pixels."""
    canvas_pixels, frame_pixels = canvas[0] * canvas[1], max(1, frame[0] * frame[1])
    if canvas_pixels > max(SMALL_CANVAS_PIXELS, MAX_CANVAS_RATIO * frame_pixels):
        raise ImageError(
            f"The picture's canvas is {canvas_pixels // frame_pixels:,} times as large as its first"
            f" frame, more than the limit of {MAX_CANVAS_RATIO}"
        )


def cut_short(kind: str) -> ImageError:
    """Make the error for a picture whose bytes end before its size is known."""
    return ImageError(f"The {kind} is damaged: it ends within its header")
