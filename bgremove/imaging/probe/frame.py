"""The first frame of an animation, or of a picture that is smaller than its canvas."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FirstFrame:
    """A frame, and where it lies on its canvas.

    ``canvas`` is (width, height) in pixels, ``place`` (left, top) on it, ``size`` (width, height)
    of the frame, which may reach beyond the canvas. ``still`` is a file of this frame alone, as
    large as its canvas: colours, transparency and pixels, nothing else.
    """

    canvas: tuple[int, int]
    place: tuple[int, int]
    size: tuple[int, int]
    still: bytes
