"""Limits on pictures: those set by the operator and fixed bounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import BinaryIO

from bgremove.errors import ImageError

MIB = 1024 * 1024
MOST_COUNTED = 1 << 30  # bytes read to report the size of a file; a device is endless

# An ICC profile or EXIF block, unpacked. The largest CMYK profiles in use have 2.5 MiB; EXIF in a
# JPEG cannot pass 64 KiB.
MAX_METADATA_BYTES = 4 * MIB

# Maximum ratio of a canvas over a megapixel to its first frame. Real animations with a small first
# frame start with a tenth; 36 bytes can declare 50 megapixels around a single pixel.
MAX_CANVAS_RATIO = 100
SMALL_CANVAS_PIXELS = 1_000_000

# Memory for decoding, per pixel of the limit. In OpenCV 5 the most expensive 8-bit picture
# (progressive CMYK JPEG) needs 11 bytes; one is added. Deeper pictures share the same total.
MAX_BYTES_PER_PIXEL = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits on uploads, with the names and units of `bgremove.settings.Settings`."""

    max_upload_bytes: int
    max_pixels: int
    max_side: int
    max_frames: int
    max_scans: int
    max_text_chunks: int


def refuse_above(limit: int, value: int, what: str, setting: str = "") -> None:
    """Raise ImageError if ``value`` is above ``limit``, with a message that names both."""
    if value > limit:
        message = f"The picture has {value:,} {what}, more than the limit of {limit:,}"
        raise ImageError(message, setting=setting)


def read_within(file: BinaryIO, max_bytes: int) -> bytes:
    """Return the content of a file, with at most the limit in memory.

    Raises:
        ImageError: The file is larger than ``max_bytes``.
        OSError: The file cannot be read.

    """
    data = file.read(max_bytes + 1)
    if len(data) <= max_bytes:
        return data
    size = len(data)
    while size < MOST_COUNTED and (chunk := file.read(MIB)):
        size += len(chunk)
    raise too_large(f"{size:,}", max_bytes)


def too_large(size: str, max_bytes: int) -> ImageError:
    """Return the error for a file of ``size`` bytes."""
    issue = f"The file has {size} bytes, more than the limit of {max_bytes:,}"
    return ImageError(issue, setting="max_upload_bytes")


def check_size(width: int, height: int, limits: Limits) -> None:
    """Raise ImageError for a declared size, in pixels, that is empty or beyond the limits."""
    if width < 1 or height < 1:
        raise ImageError(f"The picture is damaged: it declares a size of {width} x {height} pixels")
    if max(width, height) > limits.max_side:
        raise ImageError(
            f"The picture is {width:,} x {height:,} pixels;"
            f" the limit for a side is {limits.max_side:,}",
            setting="max_side",
        )
    if width * height > limits.max_pixels:
        raise ImageError(
            f"The picture is {width:,} x {height:,} = {width * height:,} pixels,"
            f" more than the limit of {limits.max_pixels:,}",
            setting="max_pixels",
        )


def check_canvas(canvas: tuple[int, int], frame: tuple[int, int]) -> None:
    """Raise ImageError for a large canvas with a tiny first frame; sizes in pixels."""
    canvas_pixels, frame_pixels = canvas[0] * canvas[1], max(1, frame[0] * frame[1])
    if canvas_pixels > max(SMALL_CANVAS_PIXELS, MAX_CANVAS_RATIO * frame_pixels):
        raise ImageError(
            f"The picture's canvas is {canvas_pixels // frame_pixels:,} times as large as its first"
            f" frame, more than the limit of {MAX_CANVAS_RATIO}"
        )


def cut_short(kind: str) -> ImageError:
    """Return the error for a picture whose data ends before its size is known."""
    return ImageError(f"The {kind} is damaged: it ends within its header")
