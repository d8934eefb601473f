"""The first frame of an animation, or of a picture that is smaller than its canvas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """A frame and its position on its canvas.

    ``canvas`` is (width, height) in pixels, ``place`` (left, top) on it, ``size`` (width, height)
    of the frame, which may extend beyond the canvas. ``still`` is a file with only this frame, its
    canvas of the frame's size. It holds colours, transparency and pixels, nothing else.
    """

    canvas: tuple[int, int]
    place: tuple[int, int]
    size: tuple[int, int]
    still: bytes
